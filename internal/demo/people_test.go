//go:build unix

package demo_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"bareed/contacts"
	"bareed/internal/demo"
)

// The file must hold what it says: the planted people with valid numbers and
// nothing else that would be refused.
func TestFileHoldsWhatItSays(t *testing.T) {
	t.Parallel()
	file, planted := demo.People(7)
	again, _ := demo.People(7)
	if !bytes.Equal(file, again) {
		t.Fatal("the same seed gave another file")
	}
	r := csv.NewReader(bytes.NewReader(file))
	rows, good := 0, 0
	for {
		rec, err := r.Read()
		if err != nil && rec == nil && err.Error() == "EOF" {
			break
		}
		rows++
		if err != nil || len(rec) < 3 {
			continue
		}
		if _, err := contacts.ParsePhone(rec[0], "SA"); err == nil {
			good++
		}
	}
	if rows != planted.Rows+1 {
		t.Errorf("%d rows and the header, want %d", rows, planted.Rows+1)
	}
	if wrongNumbers := planted.Rows - good; wrongNumbers > planted.Bad || planted.Rows != 10_000 {
		t.Errorf("%d of %d rows have no valid number, %d were planted", wrongNumbers, planted.Rows, planted.Bad)
	}
	for _, p := range planted.OptedOutPhones {
		if _, err := contacts.ParsePhone(p, ""); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}
