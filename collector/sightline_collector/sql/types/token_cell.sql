-- The cell of output_tokens on a fixed grid of 512 cells: each count below 64 has its own, above there are
-- 32 a doubling, so that a cell is at most 1/32 as wide as what it holds; the last takes 2^20 - 2^14 and more.
-- Fixed, so that the histograms of any day, slice and host add up. NULL has no cell: callers skip it.
toUInt16(ifNull(
    if(
        output_tokens < 64,
        output_tokens,
        32 * (floor(log2(least(output_tokens, 1048575))) - 5) + bitShiftRight(
            least(output_tokens, 1048575),
            toUInt8(floor(log2(least(output_tokens, 1048575))) - 5))),
    0))
