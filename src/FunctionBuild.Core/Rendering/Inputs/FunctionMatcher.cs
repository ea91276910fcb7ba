using System.Text;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>
/// Finds for each function that a composition uses what is to be started: among the images by package name, by function
/// name, or by the name that a project's functions have in a cluster, the DNS label of the repository's path; then in the
/// functions file.
/// </summary>
/// <param name="images">The images that were just built.</param>
/// <param name="manifests">The functions file.</param>
/// <param name="report">Told what was decided.</param>
internal sealed class FunctionMatcher(IReadOnlyList<FunctionImage> images, IReadOnlyList<FunctionManifest> manifests, Action<string> report)
{
    private const int LastLabelIndex = 62;

    /// <summary>All functions listen already, images or not; when nothing at all is said of them, where functions listen.</summary>
    public bool IsDevelopment { get; init; }

    /// <summary>What to start for the steps; a function that several steps use once.</summary>
    /// <param name="steps">The steps' names, and the names of the functions that they use.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>FunctionNotFound</c> or <c>AmbiguousFunction</c>.</exception>
    public IReadOnlyList<FunctionStart> Match(IReadOnlyList<(string Step, string Function)> steps)
    {
        var starts = new List<FunctionStart>();
        foreach (IGrouping<string, string> function in steps.GroupBy(s => s.Function, s => s.Step, StringComparer.Ordinal))
        {
            starts.Add(Match(function.Key, [.. function]));
        }

        foreach (FunctionImage unused in images.Where(i => !starts.Any(s => ReferenceEquals(s.Image, i))))
        {
            report($"{unused.Name} is not started: no step uses it.");
        }

        return starts;
    }

    /// <summary>The name that a repository's function has in a cluster: its path without the registry, as a DNS label. Characters that no label has are left out.</summary>
    public static string LabelOf(string repository)
    {
        string path = PathOf(repository);
        var label = new StringBuilder();
        for (int i = 0; i < path.Length && i <= LastLabelIndex; i++)
        {
            char c = path[i];
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                label.Append(c);
            }
            else if (c is '.' or '/' or ':' or '-' && i != 0 && i != LastLabelIndex && i != path.Length - 1)
            {
                label.Append('-');
            }
        }

        return label.ToString().Trim('-');
    }

    private FunctionStart Match(string function, string[] steps)
    {
        FunctionManifest? manifest = manifests.FirstOrDefault(m => m.Name == function);
        (string How, Func<FunctionImage, bool> Matches)[] ways =
        [
            ("the package's name", i => i.Package.Name == function),
            ("the function's name", i => i.Name == function),
            ("the repository's label", i => LabelOf(i.Repository) == function),
        ];
        foreach ((string how, Func<FunctionImage, bool> matches) in ways)
        {
            FunctionImage[] found = [.. images.Where(matches)];
            if (found.Length > 1)
            {
                throw Ambiguous(function, steps, how, found);
            }

            if (found is [var image])
            {
                report($"{Describe(steps)} uses {function}: {image}, by {how}.");

                // How it is run may still be said in the file, but not that another image or process is.
                FunctionStart start = manifest?.Start ?? new FunctionStart(function);
                return start with { Image = image, Reference = null, DevelopmentTarget = IsDevelopment ? start.DevelopmentTarget : null };
            }
        }

        if (manifest is null)
        {
            if (IsDevelopment && images.Count == 0 && manifests.Count == 0)
            {
                report($"{Describe(steps)} uses {function}: it listens already.");
                return new FunctionStart(function);
            }

            throw NotFound(function, steps);
        }

        report($"{Describe(steps)} uses {function}: {manifest.Start.DevelopmentTarget ?? manifest.Start.Reference ?? "no package"}, by the functions file.");
        return IsDevelopment || manifest.Start.DevelopmentTarget is not null || manifest.Start.Reference is not null || manifest.Start.ContainerName is not null
            ? manifest.Start
            : throw new FunctionBuildException("FunctionWithoutPackage", FaultKind.InvalidData, $"The Function '{function}' of the functions file has no spec.package, and its annotations name neither an image nor a place where it listens.", function);
    }

    private static string PathOf(string repository)
    {
        int slash = repository.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? string.Empty : repository[..slash];
        return first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" ? repository[(slash + 1)..] : repository;
    }

    private FunctionBuildException NotFound(string function, string[] steps)
    {
        string[] candidates =
        [
            .. images.SelectMany(i => new[] { i.Package.Name, i.Name, LabelOf(i.Repository) }.Distinct(StringComparer.Ordinal)),
            .. manifests.Select(m => m.Name),
        ];
        string there = candidates.Length == 0 ? "No function images came, and no functions file was given." : $"There are: {string.Join(", ", candidates.Distinct(StringComparer.Ordinal))}.";
        return new FunctionBuildException("FunctionNotFound", FaultKind.NotFound, $"{Describe(steps)} uses the function '{function}', which is not there. {there} Build its image in the same pipeline, or describe it in a functions file (-Function).", function);
    }

    private static FunctionBuildException Ambiguous(string function, string[] steps, string how, FunctionImage[] found) =>
        new("AmbiguousFunction", FaultKind.InvalidArgument, $"{Describe(steps)} uses the function '{function}', and {found.Length} images are meant by {how}: {string.Join(", ", found.Select(f => f.ToString()))}. Pass only one of them.", function);

    private static string Describe(string[] steps) => steps.Length == 1 ? $"Step '{steps[0]}'" : $"Steps {string.Join(", ", steps.Select(s => $"'{s}'"))}: each";
}
