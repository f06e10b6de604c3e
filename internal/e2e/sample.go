//go:build unix

package e2e

import (
	"fmt"
	"os"
	"regexp"
)

var draftPath = regexp.MustCompile(`/drafts/([0-9a-z_]+)`)

// csvFile is a file to upload.
type csvFile struct{ path string }

// sample writes a file that nobody has imported.
func sample() (csvFile, error) {
	f, err := os.CreateTemp("", "bareed-people-*.csv")
	if err != nil {
		return csvFile{}, fmt.Errorf("write a file to upload: %w", err)
	}
	if _, err := f.Write(people("+96656123", 20)); err != nil {
		return csvFile{}, fmt.Errorf("write a file to upload: %w", err)
	}
	return csvFile{f.Name()}, f.Close()
}

func (f csvFile) remove() { os.Remove(f.path) } // in a temporary folder
