using FunctionBuild.Help.Cmdlets;

namespace FunctionBuild.Tests.Help;

public class CmdletReaderTests
{
    [Fact]
    public void The_default_parameter_set_comes_first() => Assert.Equal(["ByName", "ById"], SamplePage.Cmdlet.Sets);

    [Fact]
    public void Hidden_parameters_are_left_out_and_those_of_ShouldProcess_added() =>
        Assert.Equal(["Id", "Day", "Name", "Level", "WhatIf", "Confirm"], SamplePage.Cmdlet.Parameters.Select(p => p.Name));

    [Fact]
    public void A_parameter_takes_part_in_each_set_as_its_attributes_say()
    {
        CmdletParameter name = Find("Name");
        Assert.Equal(new ParameterInSet(0, Mandatory: true, ByValue: true, ByPropertyName: false, Remaining: false), name.In("ByName"));
        Assert.Null(name.In("ById"));
        Assert.Equal(new ParameterInSet(null, Mandatory: false, ByValue: false, ByPropertyName: false, Remaining: false), Find("Day").In("ById"));
    }

    [Fact]
    public void Types_values_and_aliases_are_read()
    {
        Assert.Equal(("Int32", "System.Int32"), (Find("Id").TypeName, Find("Id").ElementType));
        Assert.Equal(["Number", "No"], Find("Id").Aliases);
        Assert.Equal(("String[]", true), (Find("Name").TypeName, Find("Name").Globbing));
        Assert.Equal(["Low", "High"], Find("Level").Values);
        Assert.Equal(Enum.GetNames<DayOfWeek>(), Find("Day").Values);
        Assert.Equal(["System.Version"], SamplePage.Cmdlet.OutputTypes);
    }

    private static CmdletParameter Find(string name) => SamplePage.Cmdlet.Parameters.Single(p => p.Name == name);
}
