using FunctionBuild.Core.Rendering.Protocol;
using Grpc.Core;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>What a function does with a request.</summary>
internal delegate Task<RunFunctionResponse> FunctionAnswer(RunFunctionRequest request, ServerCallContext context);
