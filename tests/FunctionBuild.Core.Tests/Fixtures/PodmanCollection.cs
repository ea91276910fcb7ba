namespace FunctionBuild.Core.Tests.Fixtures;

[CollectionDefinition(PodmanService.Collection)]
public sealed class PodmanCollection : ICollectionFixture<PodmanService>;
