using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>Checks that a device supports an operator.</summary>
internal static class SupportChecks
{
    /// <summary>Checks that the device runs an operator on the element type of an operand.</summary>
    /// <exception cref="NotSupportedException">It does not; the message lists every reason.</exception>
    public static void Require(FeatureMap operand, params ReadOnlySpan<Operand> operands)
    {
        var reasons = OperatorSupport.Reasons(operand.Device.Info, operand.ElementType);
        if (reasons.Count > 0)
        {
            throw new NotSupportedException(
                $"Not supported on {operand.Device.Id}: {string.Join("; ", reasons)}. {OperandChecks.Describe(operands)}");
        }
    }

    /// <summary>Checks that the device runs a window operator.</summary>
    /// <exception cref="NotSupportedException">It does not; the message lists every reason.</exception>
    public static void Require(
        FeatureMap operand, in WindowShape shape, BorderRule border, params ReadOnlySpan<Operand> operands)
    {
        if (OperatorSupport.Runs(operand.Device.Info, operand.ElementType, in shape, border))
            return;
        var reasons = OperatorSupport.Reasons(operand.Device.Info, operand.ElementType, shape, border);
        throw new NotSupportedException(
            $"Not supported on {operand.Device.Id}: {string.Join("; ", reasons)}. {OperandChecks.Describe(operands)}");
    }
}
