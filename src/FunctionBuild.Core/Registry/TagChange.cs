namespace FunctionBuild.Core.Registry;

/// <summary>What a push does to a tag.</summary>
public enum TagChange
{
    /// <summary>It does not exist yet.</summary>
    New,

    /// <summary>It points at something else.</summary>
    Moves,

    /// <summary>It points at this very index.</summary>
    Stays,
}
