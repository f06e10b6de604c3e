//go:build unix

package look

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The one version of axe-core that pages are judged by, and npm's checksum of
// its archive. The file is MPL-2.0 and not ours to keep: it is fetched once.
const (
	axeVersion   = "4.14.1"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// NoAxeError says that axe-core cannot be had and how it can.
type NoAxeError struct{ Why string }

func (e *NoAxeError) Error() string {
	return "axe-core " + axeVersion + " cannot be had (" + e.Why + "). Ways to go on:" +
		"\n  install npm      sudo apt-get install -y npm" +
		"\n  use your own     npm pack axe-core@" + axeVersion + " elsewhere, then export AXE_CORE=/path/of/axe.min.js"
}

// Axe returns the source of axe-core: from AXE_CORE, from dir where an earlier
// run kept it, or from npm. The error is a *NoAxeError.
func Axe(ctx context.Context, dir string, out io.Writer) (string, error) {
	if p := os.Getenv("AXE_CORE"); p != "" {
		b, err := os.ReadFile(p)
		if err != nil {
			return "", &NoAxeError{err.Error()}
		}
		return string(b), nil
	}
	kept := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	if b, err := os.ReadFile(kept); err == nil {
		if s, err := unpack(b); err == nil {
			return s, nil
		}
	}
	b, err := fetch(ctx, out)
	if err != nil {
		return "", &NoAxeError{err.Error()}
	}
	s, err := unpack(b)
	if err != nil {
		return "", &NoAxeError{err.Error()}
	}
	return s, os.WriteFile(kept, b, 0o600)
}

// fetch lets npm get the archive. Nothing of it is run.
func fetch(ctx context.Context, out io.Writer) ([]byte, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return nil, errors.New("npm is not on this machine")
	}
	dir, err := os.MkdirTemp("", "bareed-axe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "%-10s npm pack axe-core@%s (0.7 MB, kept for the next time)\n", "axe-core", axeVersion)
	cmd := exec.CommandContext(ctx, "npm", "pack", "axe-core@"+axeVersion, "--silent", "--pack-destination", dir)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return nil, fmt.Errorf("npm pack: %w: %s", err, lines[len(lines)-1])
	}
	return os.ReadFile(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
}

// unpack checks the archive and takes the one file out.
func unpack(archive []byte) (string, error) {
	sum := sha512.Sum512(archive)
	if base64.StdEncoding.EncodeToString(sum[:]) != axeIntegrity {
		return "", errors.New("the archive is not the one that was chosen: its checksum differs")
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", fmt.Errorf("open the archive: %w", err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			return "", fmt.Errorf("find axe.min.js in the archive: %w", err)
		}
		if h.Name != "package/axe.min.js" {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return "", fmt.Errorf("read axe.min.js: %w", err)
		}
		return string(b), nil
	}
}
