using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace FunctionBuild.Host;

/// <summary>
/// The one thing that the engine lets only its own console do. The engine's version is pinned; one that lacks these
/// members makes every script fail, and with it the tests.
/// </summary>
internal static class EngineInternals
{
    private const string ContextType = "System.Management.Automation.ExecutionContext, System.Management.Automation";

    /// <summary>
    /// Makes <c>exit</c> in the next script file reach the host. Otherwise the engine ends just the script, and its code
    /// can't be told from that of a program that the script ran.
    /// </summary>
    public static void LetScriptExitTheHost(Runspace runspace) => SetRethrowExit(ContextOf(runspace), value: true);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_ExecutionContext")]
    [return: UnsafeAccessorType(ContextType)]
    private static extern object ContextOf(Runspace runspace);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ScriptCommandProcessorShouldRethrowExit")]
    private static extern void SetRethrowExit([UnsafeAccessorType(ContextType)] object context, bool value);
}
