package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// AssetPath is where assets are served; the hash of the content is part of the
// name, so that a browser may keep one forever.
const AssetPath = "/assets/"

// Assets are the embedded files.
type Assets struct {
	urls  map[string]string // bareed.css -> /assets/bareed-1a2b3c4d.css
	files map[string][]byte // by the last part of the URL
	small map[string][]byte // the same, gzipped
}

func loadAssets(more map[string][]byte) (*Assets, error) {
	a := &Assets{urls: map[string]string{}, files: map[string][]byte{}, small: map[string][]byte{}}
	root, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("find the assets: %w", err)
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return a.add(name, b)
	})
	for name, b := range more {
		a.add(name, b)
	}
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	return a, nil
}

func squeeze(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func (a *Assets) add(name string, b []byte) (err error) {
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
	a.urls[name], a.files[hashed] = AssetPath+hashed, b
	a.small[hashed], err = squeeze(b)
	return err
}

// URL is where a file is; an unknown name is a template's bug.
func (a *Assets) URL(name string) (string, error) {
	u, ok := a.urls[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %s", name)
	}
	return u, nil
}

// Content is a file as it was embedded.
func (a *Assets) Content(name string) []byte {
	return a.files[strings.TrimPrefix(a.urls[name], AssetPath)]
}

// Serve answers one file; false when there is none of that name.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) bool {
	name := strings.TrimPrefix(r.URL.Path, AssetPath)
	b, ok := a.files[name]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		b = a.small[name]
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // the caller is gone when this fails
	}
	return true
}
