using FunctionBuild.Help;

// Reads: <assembly> <file that lists its references, one a line> <folder of pages> <folder for help> [--update-syntax]
if (args.Length is < 4 or > 5 || (args.Length == 5 && args[4] != "--update-syntax"))
{
    Console.Error.WriteLine("Usage: FunctionBuild.Help <assembly> <file of references> <folder of pages> <output folder> [--update-syntax]");
    return 2;
}

var build = new HelpBuild(args[0], File.ReadAllLines(args[1]), args[2]);
if (args.Length == 5)
{
    build.UpdateSyntax();
}

IReadOnlyList<HelpProblem> problems = build.Write(args[3]);
foreach (HelpProblem problem in problems)
{
    Console.Error.WriteLine(problem);
}

return problems.Count == 0 ? 0 : 1;
