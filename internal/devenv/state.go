//go:build unix

package devenv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocket is the longest path a unix socket may have: macOS allows 104 bytes
// with the closing zero, Linux 108.
const maxSocket = 103

// longestSocketName is the longest file name a server adds to its run directory.
const longestSocketName = len("/.s.PGSQL.15432.lock")

// Checkout returns the root of the checkout the working directory is in.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module bareed\n")) {
			return filepath.EvalSymlinks(dir)
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run this inside a checkout of bareed: no go.mod of it in this directory or above")
		}
		dir = filepath.Dir(dir)
	}
}

// stateDir returns this checkout's directory for private servers, and makes it.
// It never lies in the checkout: that may be below a directory which the
// servers' user cannot enter, and root's servers run as another user.
func stateDir() (string, error) {
	root, err := Checkout()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(root))
	key := hex.EncodeToString(sum[:])[:keyLength]
	uid := os.Getuid()
	dir, mode := fmt.Sprintf("/var/tmp/bareed-%d-%s", uid, key), os.FileMode(0o711)
	if cache, err := os.UserCacheDir(); uid != 0 && err == nil {
		dir, mode = filepath.Join(cache, "bareed", key), 0o700
	} // else: /var/tmp outlives a restart, and anybody may enter it
	if _, err := ownDir(dir, uid, mode); err != nil {
		return "", err
	}
	note := filepath.Join(dir, checkoutNote)
	if _, err := os.Lstat(note); err == nil {
		return dir, nil
	}
	if err := os.WriteFile(note, []byte(root), 0o600); err != nil {
		return "", fmt.Errorf("note whose state this is: %w", err)
	}
	return dir, nil
}

// checkoutNote is the file in a state directory that names its checkout.
const checkoutNote = "checkout"

const keyLength = 10

// stateKey is the part of the state directory's name that stands for the checkout.
func stateKey(state string) string {
	base := filepath.Base(state)
	return base[max(0, len(base)-keyLength):]
}

// ownDir makes dir, or takes it when it exists, is no symbolic link, belongs to
// uid and nobody else may write there: in a shared parent another user could
// have put it there first.
func ownDir(dir string, uid int, mode os.FileMode) (string, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make the state directory: %w", err)
	}
	if err := os.Mkdir(dir, mode); err == nil {
		if err := os.Chmod(dir, mode); err != nil { // umask
			return "", fmt.Errorf("make the state directory: %w", err)
		}
		if os.Getuid() != uid {
			if err := os.Chown(dir, uid, -1); err != nil {
				return "", fmt.Errorf("hand over the state directory: %w", err)
			}
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the state directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("look at the state directory: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != uid || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not a directory of user %d that only they may write to: remove it", dir, uid)
	}
	return dir, nil
}

// runDir returns the directory for a service's sockets: dir/run, or where that
// is too long for a socket, a directory in /tmp which dir/run then points to.
func runDir(dir string, uid int) (string, error) {
	plain := filepath.Join(dir, "run")
	if len(plain)+longestSocketName <= maxSocket {
		return ownDir(plain, uid, 0o700)
	}
	if target, err := os.Readlink(plain); err == nil {
		if _, err := os.Lstat(target); err == nil {
			return ownDir(target, uid, 0o700)
		}
	}
	short, err := os.MkdirTemp("/tmp", "bareed-run-")
	if err != nil {
		return "", fmt.Errorf("make a directory for sockets: %w", err)
	}
	if err := os.Chown(short, uid, -1); err != nil {
		return "", fmt.Errorf("hand over the directory for sockets: %w", err)
	}
	os.Remove(plain)
	if err := os.Symlink(short, plain); err != nil {
		return "", fmt.Errorf("remember the directory for sockets: %w", err)
	}
	return short, nil
}

// OwnDir returns a directory of this checkout for what a program of that mode
// keeps itself; Reset removes it with the servers' data.
func OwnDir(m Mode) (string, error) {
	state, err := stateDir()
	if err != nil {
		return "", err
	}
	above := filepath.Join(state, string(m)) // the servers' user must be able to enter it
	if _, err := ownDir(above, os.Getuid(), 0o711); err != nil {
		return "", err
	}
	return ownDir(filepath.Join(above, "own"), os.Getuid(), 0o700)
}
