namespace FunctionBuild.Core;

/// <summary>What kind of fault an error is; the shell maps it to its own categories.</summary>
public enum FaultKind
{
    /// <summary>The input's content is not what it should be.</summary>
    InvalidData,

    /// <summary>An argument is wrong, or arguments contradict each other.</summary>
    InvalidArgument,

    /// <summary>Something that was named does not exist.</summary>
    NotFound,

    /// <summary>Something exists already.</summary>
    AlreadyExists,

    /// <summary>An object is used after what it stands for is gone, or too early.</summary>
    InvalidOperation,

    /// <summary>A limit was reached: size, disk space.</summary>
    LimitExceeded,

    /// <summary>The operating system refused or failed a read.</summary>
    Read,

    /// <summary>The operating system refused or failed a write.</summary>
    Write,

    /// <summary>A service does not know who asks, or does not take the credentials.</summary>
    Authentication,

    /// <summary>A service knows who asks, and refuses.</summary>
    Permission,

    /// <summary>A service cannot be reached, or fails.</summary>
    Connection,
}

/// <summary>An error with a stable id, a cause a person can act on, and the object it concerns.</summary>
public class FunctionBuildException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="errorId">A stable id for scripts, in PascalCase.</param>
    /// <param name="kind">The kind of fault.</param>
    /// <param name="message">What is wrong, where, what was expected and what to do.</param>
    /// <param name="target">The path or object concerned.</param>
    /// <param name="innerException">The cause.</param>
    public FunctionBuildException(string errorId, FaultKind kind, string message, object? target = null, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorId = errorId;
        Kind = kind;
        TargetObject = target;
    }

    /// <summary>A stable id for scripts, such as <c>DiffIdMismatch</c>.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of fault.</summary>
    public FaultKind Kind { get; }

    /// <summary>The path or object that the error concerns, when there is one.</summary>
    public object? TargetObject { get; }
}
