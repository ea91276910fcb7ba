namespace FunctionBuild.Core.Tests.Fixtures;

[CollectionDefinition(PodmanService.Collection)]
public sealed class PodmanTestGroup : ICollectionFixture<PodmanService>;
