//go:build unix

package devenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// roomInMemory is the free space a memory file system must have before test
// data goes there: containers often have 64 MB.
const roomInMemory = 2 << 30

// placeData prepares for a new data directory: the old one is removed, and test
// data is put into memory where that has room. A copy of the template is
// hundreds of small files, three to ten times faster there; data is then a
// symbolic link, so that every process finds the same place.
func placeData(m Mode, data string, uid int) error {
	if err := removeData(data); err != nil {
		return err
	}
	if m != Test || freeSpace("/dev/shm") < roomInMemory {
		return nil
	}
	state := filepath.Dir(filepath.Dir(filepath.Dir(data)))
	target, err := ownDir(fmt.Sprintf("/dev/shm/bareed-%d-%s", os.Getuid(), stateKey(state)), uid, 0o700)
	if err != nil {
		return err
	}
	if err := removeInside(target); err != nil {
		return err
	}
	if err := os.Symlink(target, data); err != nil {
		return fmt.Errorf("point to the data directory: %w", err)
	}
	return nil
}

// removeData removes a data directory, wherever it lies.
func removeData(data string) error {
	if target, err := os.Readlink(data); err == nil {
		if err := os.RemoveAll(target); err != nil {
			return fmt.Errorf("remove the data directory: %w", err)
		}
	}
	if err := os.RemoveAll(data); err != nil {
		return fmt.Errorf("remove the data directory: %w", err)
	}
	return nil
}

// removeInside empties a directory that a killed initdb may have half filled.
func removeInside(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("empty the data directory: %w", err)
	}
	for _, e := range list {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("empty the data directory: %w", err)
		}
	}
	return nil
}

// realData is where the data lies in truth.
func realData(data string) string {
	if target, err := os.Readlink(data); err == nil {
		return target
	}
	return data
}
