using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf.Collections;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// Gives functions the resources and schemas that they ask for: after each call it fetches what the answer requires and
/// calls again, until an answer requires what the one before it did. The first call settles it at once when the request
/// had it all already.
/// </summary>
/// <param name="inner">Makes each single call.</param>
/// <param name="resources">Where required resources are found.</param>
/// <param name="schemas">Where required schemas are found.</param>
internal sealed class RequirementsCaller(IFunctionCaller inner, RequiredResourceStore resources, RequiredSchemaStore schemas) : IFunctionCaller
{
    /// <summary>How often a function is called again because of what it requires, as in the controller.</summary>
    public const int MostRounds = 5;

    /// <summary>
    /// Calls a function until its requirements are stable and returns its last answer. A fatal result is returned at once.
    /// What the request brings stays in it, unless the function asks for something else under the same name. Each round is
    /// given the context of the answer before it. The request itself is not changed.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="FunctionBuildException">The requirements still change after <see cref="MostRounds"/> rounds (<c>FunctionRequirementsUnstable</c>), or a required schema cannot be made; else as the inner caller.</exception>
    public async Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation)
    {
        RunFunctionRequest given = request;
        Requirements? previous = null;
        for (int round = 0; round <= MostRounds; round++)
        {
            RunFunctionResponse response = await inner.CallAsync(function, given, cancellation).ConfigureAwait(false);
            Requirements? current = response.Requirements;
            if (response.Results.Any(result => result.Severity == Severity.Fatal) || Equals(current, previous))
            {
                return response;
            }

            RunFunctionRequest next = Fulfil(function, request, current ?? new Requirements());
            if (round == 0 && HasSameRequirements(given, next))
            {
                return response;
            }

            next.Context = response.Context;
            given = next;
            previous = current;
        }

        throw Unstable(function, previous);
    }

    private RunFunctionRequest Fulfil(string function, RunFunctionRequest request, Requirements requirements)
    {
        RunFunctionRequest next = request.Clone();
        next.ExtraResources.Clear();
        Fetch(next.ExtraResources, requirements.ExtraResources, resources.Fetch, function);
        Fetch(next.RequiredResources, requirements.Resources, resources.Fetch, function);
        Fetch(next.RequiredSchemas, requirements.Schemas, schemas.Fetch, function);
        return next;
    }

    // By name, because the order in which a map arrives is by chance and the stores keep record.
    private static void Fetch<TSelector, TFound>(
        MapField<string, TFound> target, MapField<string, TSelector> selectors, Func<TSelector, TFound> fetch, string function)
    {
        foreach ((string name, TSelector selector) in selectors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            try
            {
                target[name] = fetch(selector);
            }
            catch (FunctionBuildException e)
            {
                throw new FunctionBuildException(e.ErrorId, e.Kind, $"Function '{function}' requires '{name}', which cannot be given to it. {e.Message}", function, e);
            }
        }
    }

    private static bool HasSameRequirements(RunFunctionRequest one, RunFunctionRequest other) =>
        one.ExtraResources.Equals(other.ExtraResources)
        && one.RequiredResources.Equals(other.RequiredResources)
        && one.RequiredSchemas.Equals(other.RequiredSchemas);

    private static FunctionBuildException Unstable(string function, Requirements? last)
    {
        IEnumerable<string> names = last is null ? [] : [.. last.Resources.Keys, .. last.ExtraResources.Keys, .. last.Schemas.Keys];
        return new FunctionBuildException(
            "FunctionRequirementsUnstable",
            FaultKind.InvalidData,
            $"Function '{function}' still asks for something else after {MostRounds} rounds; last for {string.Join(", ", names.Distinct().Order(StringComparer.Ordinal).Select(name => $"'{name}'"))}. "
            + "It must return the same requirements each time that it is given what it required.",
            function);
    }
}
