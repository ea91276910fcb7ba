namespace FunctionBuild;
internal static class Placeholder { }
