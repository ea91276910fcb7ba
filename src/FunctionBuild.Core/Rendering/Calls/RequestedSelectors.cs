using System.Text.Json.Nodes;
using Google.Protobuf;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>Selectors that were asked for, each once, as protobuf's JSON.</summary>
internal sealed class RequestedSelectors
{
    private readonly HashSet<IMessage> _seen = [];
    private readonly List<JsonObject> _items = [];

    /// <summary>In the order in which they came first.</summary>
    public IReadOnlyList<JsonObject> Items => _items;

    public void Add<T>(T selector)
        where T : IDeepCloneable<T>, IMessage<T>
    {
        if (_seen.Add(selector.Clone()))
        {
            _items.Add((JsonObject)JsonNode.Parse(JsonFormatter.Default.Format(selector))!);
        }
    }
}
