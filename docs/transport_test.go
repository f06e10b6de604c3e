package docs_test

import (
	"os"
	"strings"
	"testing"
)

// Every test that TRANSPORT.md names is there.
func TestTransportNamesItsTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("TRANSPORT.md")
	if err != nil {
		t.Fatal(err)
	}
	names := named.FindAllStringSubmatch(string(page), -1)
	if len(names) < 10 {
		t.Errorf("%d tests are named", len(names))
	}
	for _, n := range names {
		if !strings.Contains(source(t, n[1]), "\nfunc "+n[2]+"(") {
			t.Errorf("%s in %s is not there", n[2], n[1])
		}
	}
}
