//go:build unix

package devenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sweep removes what checkouts in temporary directories left when they are gone
// themselves, as those of a killed test are. Other checkouts may be on a disk
// that is not there at the moment, so their data stays.
func sweep(ctx context.Context, state string) {
	key := stateKey(state)
	siblings, _ := filepath.Glob(strings.TrimSuffix(state, key) + "*") // the pattern is made of our own names
	for _, dir := range siblings {
		if dir == state || !ofGoneCheckout(dir) {
			continue
		}
		if _, err := ownDir(dir, os.Getuid(), 0o700); err != nil {
			continue // somebody else's
		}
		// A sweep is a favour: what cannot be removed now is left for the next.
		stopped := true
		for _, m := range []Mode{Demo, Test} {
			stopped = resetMode(ctx, io.Discard, dir, m) == nil && stopped
		}
		if stopped {
			os.RemoveAll(dir)
			os.RemoveAll(fmt.Sprintf("/dev/shm/bareed-%d-%s", os.Getuid(), stateKey(dir)))
		}
	}
}

func ofGoneCheckout(state string) bool {
	root, err := os.ReadFile(filepath.Join(state, checkoutNote))
	if err != nil || !temporary(string(root)) {
		return false
	}
	_, err = os.Lstat(string(root))
	return errors.Is(err, fs.ErrNotExist)
}

func temporary(path string) bool {
	tmp, err := filepath.EvalSymlinks(os.TempDir())
	return err == nil && strings.HasPrefix(path, tmp+"/")
}
