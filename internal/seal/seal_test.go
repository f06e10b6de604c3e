package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"bareed/internal/seal"
)

func key(b byte) []byte {
	k := bytes.Repeat([]byte{b}, seal.KeySize)
	k[0] ^= 0xff
	return k
}

func ring(t *testing.T, versions ...uint16) *seal.Ring {
	t.Helper()
	keys := make(map[uint16][]byte)
	for _, v := range versions {
		keys[v] = key(byte(v))
	}
	r, err := seal.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const place = "waba.token/0195c1d2-e3f4-707b-8c9d-a1b2c3d4e5f6"

func TestSealedValueOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	box := ring(t, 1).Box()
	sealed, err := box.Seal([]byte("secret"), place)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := box.Seal([]byte("secret"), place)
	if bytes.Equal(sealed, again) {
		t.Error("sealing twice gave the same bytes")
	}
	if got, err := box.Open(sealed, place); err != nil || string(got) != "secret" {
		t.Fatalf("open: %q, %v", got, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	version := bytes.Clone(sealed)
	version[1] = 2
	for name, try := range map[string]struct {
		sealed []byte
		place  string
	}{
		"other place":   {sealed, place + "0"},
		"empty place":   {sealed, ""},
		"truncated":     {sealed[:len(sealed)-1], place},
		"one byte":      {sealed[:1], place},
		"empty":         {nil, place},
		"only version":  {sealed[:2], place},
		"bit flipped":   {flipped, place},
		"wrong version": {version, place},
	} {
		if _, err := box.Open(try.sealed, try.place); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: %v, want ErrOpen", name, err)
		}
	}
}

func TestVersionBytesAreBound(t *testing.T) {
	t.Parallel()
	same := map[uint16][]byte{1: key(7), 2: key(7)}
	r, err := seal.NewRing(same)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := r.Box().Seal([]byte("x"), place)
	sealed[1] = 1
	if _, err := r.Box().Open(sealed, place); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a changed version opened: %v", err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old := ring(t, 1)
	sealedKey, err := old.NewKey("workspace.data_key/x")
	if err != nil {
		t.Fatal(err)
	}
	box, err := old.OpenKey(sealedKey, "workspace.data_key/x")
	if err != nil {
		t.Fatal(err)
	}
	value, _ := box.Seal([]byte("token"), place)

	both := ring(t, 1, 2)
	plain, err := both.Box().Open(sealedKey, "workspace.data_key/x")
	if err != nil {
		t.Fatal(err)
	}
	rewrapped, _ := both.Box().Seal(plain, "workspace.data_key/x")
	if v, _ := seal.Version(rewrapped); v != 2 {
		t.Errorf("rewrapped with version %d, want 2", v)
	}
	only := ring(t, 2)
	if _, err := only.OpenKey(sealedKey, "workspace.data_key/x"); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("the old wrapping opened without its key: %v", err)
	}
	newBox, err := only.OpenKey(rewrapped, "workspace.data_key/x")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := newBox.Open(value, place); err != nil || string(got) != "token" {
		t.Errorf("value after rotation: %q, %v", got, err)
	}
}

func TestNewRingRefuses(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]map[uint16][]byte{
		"none":      {},
		"short":     {1: key(1)[:16]},
		"version 0": {0: key(1)},
		"all zero":  {1: make([]byte, 32)},
	} {
		if _, err := seal.NewRing(keys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	enc := base64.StdEncoding.EncodeToString(key(3))
	keys, err := seal.ParseKeys("1:" + enc + ", 12:" + enc)
	if err != nil || len(keys) != 2 || !bytes.Equal(keys[12], key(3)) {
		t.Fatalf("parse: %v, %v", keys, err)
	}
	for _, bad := range []string{"", "x", "0:" + enc, "1:" + enc + ",1:" + enc, "1:AAAA", "70000:" + enc} {
		if _, err := seal.ParseKeys(bad); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r, err := seal.NewRing(map[uint16][]byte{1: key(1)})
	if err != nil {
		f.Fatal(err)
	}
	sealed, _ := r.Box().Seal([]byte("x"), place)
	f.Add(sealed)
	f.Add([]byte{0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := r.Box().Open(b, place)
		if err == nil && !bytes.Equal(b, sealed) && len(plain) > 0 {
			t.Errorf("opened %x", b)
		}
	})
}
