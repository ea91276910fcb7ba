using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Kinds that are known to be outside of namespaces: Kubernetes' and Crossplane's own. A render has no API server that it could ask about others.</summary>
internal static class ClusterScopedKinds
{
    private static readonly HashSet<(string Group, string Kind)> Kinds =
    [
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("networking.k8s.io", "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("apiextensions.crossplane.io", "CompositeResourceDefinition"),
        ("apiextensions.crossplane.io", "Composition"),
        ("apiextensions.crossplane.io", "CompositionRevision"),
        ("apiextensions.crossplane.io", "EnvironmentConfig"),
        ("apiextensions.crossplane.io", "ManagedResourceActivationPolicy"),
        ("apiextensions.crossplane.io", "ManagedResourceDefinition"),
        ("ops.crossplane.io", "CronOperation"),
        ("ops.crossplane.io", "Operation"),
        ("ops.crossplane.io", "WatchOperation"),
        ("pkg.crossplane.io", "Configuration"),
        ("pkg.crossplane.io", "DeploymentRuntimeConfig"),
        ("pkg.crossplane.io", "Function"),
        ("pkg.crossplane.io", "ImageConfig"),
        ("pkg.crossplane.io", "Provider"),
        ("protection.crossplane.io", "ClusterUsage"),
    ];

    public static bool Contains(ObjectKind kind) => Kinds.Contains((kind.Group, kind.Kind));
}
