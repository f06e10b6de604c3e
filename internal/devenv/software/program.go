//go:build unix

package software

import (
	"fmt"
	"path/filepath"
)

// PostgresProgram returns the path of one of PostgreSQL's own programs, such as
// pg_dump, from an installation of this major version or a newer one: older
// ones refuse a newer server.
func PostgresProgram(name string, major int) (string, error) {
	bins, err := FindPostgres()
	if err != nil {
		return "", err
	}
	for _, b := range bins {
		if p := filepath.Join(b.Dir, name); b.Major >= major && Runnable(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("no %s of PostgreSQL %d or newer found: set PG_BINDIR", name, major)
}
