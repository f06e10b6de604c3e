package ui_test

import (
	"testing"

	"bareed/web/ui"
)

func TestNumbersAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"0": "0", "12": "12", " 12 ": "12", "-3": "-3", "0.5": "0.5", "1,500": "1500", "1,500.50": "1500.50", "1 500 000": "1500000",
		"1\u00a0500": "1500", "12%": "12", "12.5 %": "12.5", "٤٥": "45", "٠٫٥": "0.5", "١٬٥٠٠٫٥": "1500.5", "٥٠٪": "50", "۱۲": "12",
		// What could be meant otherwise, or is no number at all.
		"": "", "%": "", "12,50": "", "1,5": "", "1,2345": "", "1,50,000": "", "12.5.1": "", ".5": "", "5.": "", "1e3": "", "NaN": "", "+5": "", "ten": "", "5%5": "",
	} {
		got, ok := ui.Typed(typed)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", typed, got, ok, want)
		}
	}
}
