package front_test

import (
	"strings"
	"testing"

	"bareed/api/front"
)

func TestStreamHashDoesNotDependOnPieces(t *testing.T) {
	t.Parallel()
	body := "--abc\r\nabab--abc\r\nab" + strings.Repeat("abab", 9) + "--abc--"
	want := front.Fingerprint(body, "abc", len(body))
	for n := 1; n < 12; n++ {
		if front.Fingerprint(body, "abc", n) != want {
			t.Errorf("in pieces of %d the hash is another", n)
		}
	}
	if front.Fingerprint(strings.ReplaceAll(body, "abc", "q-w-e"), "q-w-e", 3) != want {
		t.Error("another boundary makes another hash")
	}
	if front.Fingerprint(body+"x", "abc", 3) == want {
		t.Error("another body has the same hash")
	}
}
