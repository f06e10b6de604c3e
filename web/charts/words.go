package charts

import (
	"html"
	"strings"
	"unicode"
)

// The type sizes of charts.css in SVG units: ticks and notes, and labels.
const (
	small  = 12.0
	normal = 13.0
)

// escape makes a text safe inside HTML and XML, in content and in quotes:
// control characters, which XML cannot hold, are dropped.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return html.EscapeString(s)
}

// token keeps what an id or a class name may hold.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, s)
}

// textWidth estimates the drawn width of s. The server has no fonts, so it errs
// on the wide side of the system fonts the pages use.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		w += runeWidth(r)
	}
	return w * size
}

func runeWidth(r rune) float64 {
	switch {
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		return 0
	case strings.ContainsRune(" .,:;'|!()[]ilj", r):
		return .34
	case strings.ContainsRune("mwMW%@", r):
		return .92
	case r >= 0x600 && r < 0x780:
		return .56
	case r >= 0x1100 && !(r >= 0x1E00 && r < 0x2E80):
		return 1.05
	case unicode.IsUpper(r):
		return .7
	}
	return .6
}

// fit shortens s to a width; the table has the whole text.
func fit(s string, size, width float64) string {
	if textWidth(s, size) <= width {
		return s
	}
	rs := []rune(s)
	for len(rs) > 0 && textWidth(string(rs), size)+.9*size > width {
		rs = rs[:len(rs)-1]
	}
	if len(rs) == 0 {
		return ""
	}
	return strings.TrimRightFunc(string(rs), unicode.IsSpace) + "…"
}

// widest is the width of the longest of the texts.
func widest(size float64, texts ...string) float64 {
	w := 0.0
	for _, s := range texts {
		w = max(w, textWidth(s, size))
	}
	return w
}

// label is a text on an axis with the centre it wants.
type label struct {
	at   float64
	text string
}

// settle keeps centred labels inside lo..hi, and says whether they then stand
// at least gap apart. Labels come in ascending order.
func settle(ls []label, size, lo, hi, gap float64) ([]label, bool) {
	out, edge, ok := make([]label, len(ls)), lo-gap, true
	for i, l := range ls {
		half := textWidth(l.text, size) / 2
		l.at = max(lo+half, min(hi-half, l.at))
		if l.at-half < edge+gap-1e-9 {
			ok = false
		}
		edge = l.at + half
		out[i] = l
	}
	return out, ok
}
