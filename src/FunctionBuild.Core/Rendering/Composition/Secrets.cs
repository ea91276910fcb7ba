using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using Google.Protobuf;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>The Secrets that a render was given.</summary>
/// <param name="objects">Where they are.</param>
internal sealed class Secrets(RequiredResourceStore objects)
{
    /// <summary>A Secret's entries, by name; null when there is no such Secret.</summary>
    /// <exception cref="RenderException">An entry is not what it should be (<c>SecretInvalid</c>).</exception>
    public SortedDictionary<string, ByteString>? Find(string @namespace, string name)
    {
        JsonObject? secret = objects.Find("v1", "Secret", @namespace, name);
        if (secret is null)
        {
            return null;
        }

        var entries = new SortedDictionary<string, ByteString>(StringComparer.Ordinal);
        foreach (string key in secret.Child("data")?.Select(entry => entry.Key) ?? [])
        {
            try
            {
                entries[key] = ByteString.FromBase64(secret.Child("data").Text(key));
            }
            catch (FormatException fault)
            {
                // Neither the value nor the object: errors are printed and kept in logs.
                throw new RenderException(
                    "SecretInvalid",
                    FaultKind.InvalidData,
                    $"Secret '{@namespace}/{name}': the entry '{key}' of its data is not base64. Plain text goes into stringData.",
                    $"{@namespace}/{name}",
                    fault);
            }
        }

        // The API server makes data of these when it stores a Secret.
        foreach (string key in secret.Child("stringData")?.Select(entry => entry.Key) ?? [])
        {
            entries[key] = ByteString.CopyFromUtf8(secret.Child("stringData").Text(key));
        }

        return entries;
    }

    /// <summary>A resource's connection details: what is in the Secret that it refers to. Without a reference, or without the Secret, there are none.</summary>
    /// <param name="reference">The reference; null when there is none.</param>
    /// <param name="ownerNamespace">The resource's namespace, which is then the Secret's too; empty for a resource that is in none.</param>
    public SortedDictionary<string, ByteString> ConnectionDetails(JsonObject? reference, string ownerNamespace) =>
        (reference is null ? null : Find(ownerNamespace.Length > 0 ? ownerNamespace : reference.Text("namespace"), reference.Text("name"))) ?? [];
}
