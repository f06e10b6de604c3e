package charts

import "math"

// ticks returns round values (1, 2 or 5 times a power of ten apart) from zero to
// the first one at or above top, with about n steps and never more than n+1.
// Whole keeps them whole. A top that cannot be drawn counts as nothing: 0 and 1.
func ticks(top float64, n int, whole bool) []float64 {
	if !finite(top) && !math.IsInf(top, 1) || top < 1e-290 {
		return []float64{0, 1}
	}
	top, n = math.Min(top, 1e300), max(n, 1)
	raw := top / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			step = m * power
			break
		}
	}
	if whole {
		step = math.Max(1, math.Round(step))
	}
	count := max(1, int(math.Ceil(top/step-1e-9)))
	out := make([]float64, 0, count+1)
	for i := range count + 1 {
		out = append(out, tidy(float64(i)*step))
	}
	if last := len(out) - 1; out[last] < top { // within rounding of the top
		out[last] = top
	}
	return out
}

// tidy removes the binary dust of a product: 0.30000000000000004 is 0.3.
func tidy(v float64) float64 {
	if v == 0 || math.Abs(v) > 1e15 {
		return v
	}
	unit := math.Pow(10, 12-math.Ceil(math.Log10(math.Abs(v))))
	if t := math.Round(v*unit) / unit; finite(t) {
		return t
	}
	return v
}

// lengths shares width among values in proportion to them. Whatever is more
// than zero gets at least least, taken from the larger ones; together they are
// exactly width, unless all values are zero.
func lengths(values []float64, width, least float64) []float64 {
	out := make([]float64, len(values))
	drawn, sum := sizes(values)
	some := 0
	for _, v := range drawn {
		some += b2i(v > 0)
	}
	if some == 0 || width <= 0 {
		return out
	}
	least = min(least, width/float64(some))
	small := make([]bool, len(values))
	for { // raising one may push another below: at most once per value
		left, rest, changed := width, 0.0, false
		for i, v := range drawn {
			if small[i] {
				left -= least
			} else {
				rest += v / sum
			}
		}
		for i, v := range drawn {
			switch {
			case v == 0:
			case small[i]:
				out[i] = least
			default:
				out[i] = left * (v / sum) / rest
				if out[i] < least {
					small[i], changed = true, true
				}
			}
		}
		if !changed {
			return out
		}
	}
}

// length is one bar of v when most fills width: at least 2 if there is anything.
func length(v, most, width float64) float64 {
	if v = size(v); v == 0 || most <= 0 {
		return 0
	}
	return max(min(2, width), min(width, v/most*width))
}
