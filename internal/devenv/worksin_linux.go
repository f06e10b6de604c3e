package devenv

import (
	"fmt"
	"os"
)

// worksIn tells whether the process is alive with dir as its working directory,
// which PostgreSQL's is its data directory.
func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == dir
}
