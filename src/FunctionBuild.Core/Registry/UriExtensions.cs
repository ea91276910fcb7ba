namespace FunctionBuild.Core.Registry;

/// <summary>Addresses with parameters.</summary>
internal static class UriExtensions
{
    /// <summary>The address with parameters after those that it has, which stay as they are.</summary>
    public static Uri WithQuery(this Uri uri, params IEnumerable<(string Name, string Value)> parameters)
    {
        string added = string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
        return new UriBuilder(uri) { Query = uri.Query.Length > 1 && added.Length > 0 ? $"{uri.Query}&{added}" : uri.Query + added }.Uri;
    }
}
