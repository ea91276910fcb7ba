namespace FunctionBuild.Core.Content;

/// <summary>Why <see cref="Inflater"/> or its loop returned.</summary>
internal enum InflateStop
{
    /// <summary>There is as much output as was wanted, or the loop's input is used up.</summary>
    Limit,

    /// <summary>A block ended, and another one follows.</summary>
    Block,

    /// <summary>The last block ended.</summary>
    LastBlock,

    /// <summary>The input holds a code that stands for nothing.</summary>
    BadCode,

    /// <summary>The input refers to more output than there is.</summary>
    BadDistance,
}
