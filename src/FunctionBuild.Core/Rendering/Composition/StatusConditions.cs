using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>The list <c>status.conditions</c> of an object, with at most one condition of a type.</summary>
internal static class StatusConditions
{
    // Ready and Synced are the controller's, as is Responsive; the others are reserved.
    private static readonly HashSet<string> SystemTypes = ["Ready", "Synced", "Healthy", "UpToDate", "Responsive"];

    /// <summary>Whether only the controller may set a condition of this type.</summary>
    public static bool IsSystem(string type) => SystemTypes.Contains(type);

    /// <summary>A condition of the stable time.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="status"><c>True</c>, <c>False</c> or <c>Unknown</c>.</param>
    /// <param name="reason">A word for machines.</param>
    /// <param name="message">A text for people; empty for none.</param>
    /// <param name="observedGeneration">The generation of the object that it is about; 0 for none.</param>
    public static JsonObject Create(string type, string status, string reason, string message = "", long observedGeneration = 0)
    {
        var condition = new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastTransitionTime"] = WellKnown.StableTime,
            ["reason"] = reason,
        };
        condition.SetText("message", message);
        if (observedGeneration > 0)
        {
            condition["observedGeneration"] = observedGeneration;
        }

        return condition;
    }

    /// <summary>Copies of an object's conditions.</summary>
    public static JsonObject[] Read(JsonObject source) =>
        [.. (source.Child("status")?["conditions"] as JsonArray ?? []).OfType<JsonObject>().Select(condition => condition.Copy())];

    /// <summary>
    /// Sets a condition: in the place of the one of its type, or at the end. One that says the same stays as it is. As the
    /// controller, which reads and writes the whole list, this leaves no fields in it but those of Crossplane's conditions.
    /// </summary>
    public static void Set(JsonObject target, JsonObject condition)
    {
        JsonObject status = target.Ensure("status");
        if (status["conditions"] is not JsonArray conditions)
        {
            conditions = [];
            status["conditions"] = conditions;
        }

        for (int place = 0; place < conditions.Count; place++)
        {
            if (conditions[place] is JsonObject existing)
            {
                conditions[place] = Normalize(existing);
            }
        }

        int index = conditions.ToList().FindIndex(existing => existing is JsonObject other && other.Text("type") == condition.Text("type"));
        if (index < 0)
        {
            conditions.Add((JsonNode)Normalize(condition));
        }
        else if (!SaysTheSame((JsonObject)conditions[index]!, condition))
        {
            conditions[index] = Normalize(condition);
        }
    }

    /// <summary>Gives every condition of an object the stable time.</summary>
    public static void StabilizeTimes(JsonObject target)
    {
        foreach (JsonObject condition in (target.Child("status")?["conditions"] as JsonArray ?? []).OfType<JsonObject>())
        {
            condition["lastTransitionTime"] = WellKnown.StableTime;
        }
    }

    private static JsonObject Normalize(JsonObject condition)
    {
        var normal = new JsonObject
        {
            ["type"] = condition.Text("type"),
            ["status"] = condition.Text("status"),
            ["lastTransitionTime"] = condition["lastTransitionTime"]?.DeepClone(),
            ["reason"] = condition.Text("reason"),
        };
        normal.SetText("message", condition.Text("message"));
        if (condition["observedGeneration"]?.GetValueKind() == JsonValueKind.Number)
        {
            normal["observedGeneration"] = condition["observedGeneration"]!.DeepClone();
        }

        return normal;
    }

    // A generation counts only when both conditions have one.
    private static bool SaysTheSame(JsonObject one, JsonObject other) =>
        one.Text("status") == other.Text("status")
        && one.Text("reason") == other.Text("reason")
        && one.Text("message") == other.Text("message")
        && (one["observedGeneration"] is null || other["observedGeneration"] is null || JsonNode.DeepEquals(one["observedGeneration"], other["observedGeneration"]));
}
