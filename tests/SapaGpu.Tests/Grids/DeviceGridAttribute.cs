using System.Collections;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using NUnit.Framework.Internal.Builders;

namespace SapaGpu.Tests.Grids;

/// <summary>
/// A test of every combination of its parameters, one of which is a device. On slow devices the combinations are
/// exhaustive (the category of that name) and run in turns, see <see cref="TestPart"/>.
/// </summary>
/// <param name="method">
/// The name of the method, filled in by the compiler: tests of one case do not all take one turn.
/// </param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DeviceGridAttribute([CallerMemberName] string method = "")
    : CombiningStrategyAttribute(new InTurns(method.Sum(letter => letter)), new ParameterDataSourceProvider())
{
    /// <summary>The turns of what runs on OpenCL, whose driver takes a second to compile a kernel.</summary>
    public const int OpenCLTurns = 12;

    private sealed class InTurns(int first) : ICombiningStrategy
    {
        public IEnumerable<ITestCaseData> GetTestCases(IEnumerable[] sources)
        {
            int openCL = first;
            foreach (var combination in new CombinatorialStrategy().GetTestCases(sources).Cast<TestCaseParameters>())
            {
                string? device = combination.Arguments.OfType<string>().FirstOrDefault(TestDevices.All.Contains);
                if (device is "opencl" or "emulator")
                    combination.Properties.Add(PropertyNames.Category, TestPart.Category);
                bool included = device switch
                {
                    "opencl" => TestPart.Includes(openCL++, OpenCLTurns),

                    // Its 128 threads meet at every barrier, on two cores: EmulatorTests has a few fixed cases.
                    "emulator" => TestPart.IsWhole,
                    _ => true,
                };
                if (included)
                    yield return combination;
            }
        }
    }
}
