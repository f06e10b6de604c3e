//go:build unix

package software

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestForbidServicesLeavesNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "policy")
	undo, err := forbidServices(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(file).Run(); err == nil {
		t.Error("the policy allows a start")
	}
	own, err := forbidServices(file)
	if err != nil {
		t.Fatal(err)
	}
	own() // the file was there before, so it stays
	if _, err := os.Stat(file); err != nil {
		t.Error("a file that was there before is gone")
	}
	undo()
	if _, err := os.Stat(file); err == nil {
		t.Error("the file stays")
	}
}
