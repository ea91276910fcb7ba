namespace FunctionBuild.Help.Cmdlets;

/// <summary>How a parameter takes part in one parameter set.</summary>
/// <param name="Position">Its position, from 0; null when it must be named.</param>
/// <param name="Mandatory">Whether it must be given.</param>
/// <param name="ByValue">Whether it takes pipeline objects.</param>
/// <param name="ByPropertyName">Whether it takes properties of pipeline objects.</param>
/// <param name="Remaining">Whether it takes all arguments that remain.</param>
public sealed record ParameterInSet(int? Position, bool Mandatory, bool ByValue, bool ByPropertyName, bool Remaining);
