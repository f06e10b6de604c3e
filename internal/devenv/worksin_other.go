//go:build unix && !linux

package devenv

import (
	"os/exec"
	"strconv"
	"strings"
)

// worksIn tells whether the process is alive and was started on dir: its
// command line names the data directory.
func worksIn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), dir)
}
