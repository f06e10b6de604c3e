// Package seal owns encryption at rest: a ring of versioned master keys, and
// boxes that seal single values so that each opens only in the place it was
// sealed for (AES-256-GCM, NIST SP 800-38D, with the place as associated data).
//
// accounts builds boxes from it and hands them to the nouns. It knows no table,
// no workspace and no source of keys.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// KeySize is the length of every key in bytes.
const KeySize = 32

// ErrOpen says that a sealed value is damaged, was sealed for another place, or
// needs a key that is not there. Which of them is not told.
var ErrOpen = errors.New("sealed value does not open")

// Box seals with its newest key and opens with any. It is safe for use by many
// goroutines; one key must not seal more than 2^32 values.
type Box struct {
	keys   map[uint16]cipher.AEAD
	newest uint16
}

// Ring is the master keys. It seals only keys and what belongs to no workspace.
type Ring struct{ box *Box }

// NewRing takes the master keys by version; each has KeySize bytes, versions
// begin at 1 and the highest one seals. Without a usable key it refuses.
func NewRing(keys map[uint16][]byte) (*Ring, error) {
	box, err := newBox(keys)
	if err != nil {
		return nil, err
	}
	return &Ring{box: box}, nil
}

// ParseKeys reads "1:BASE64,2:BASE64", the text form of a ring; each key is the
// standard base64 of 32 bytes.
func ParseKeys(text string) (map[uint16][]byte, error) {
	keys := make(map[uint16][]byte)
	for _, part := range strings.Split(text, ",") {
		version, encoded, ok := strings.Cut(strings.TrimSpace(part), ":")
		n, err := strconv.ParseUint(version, 10, 16)
		if !ok || err != nil || n == 0 {
			return nil, errors.New("read the master keys: each is written version:base64, versions from 1")
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("read master key %d: it must be the base64 of 32 bytes", n)
		}
		if _, twice := keys[uint16(n)]; twice {
			return nil, fmt.Errorf("read master key %d: it is given twice", n)
		}
		keys[uint16(n)] = key
	}
	return keys, nil
}

// Box is the ring itself as a box.
func (r *Ring) Box() *Box { return r.box }

// NewKey makes a random data key and returns it sealed for place.
func (r *Ring) NewKey(place string) ([]byte, error) {
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a data key: %w", err)
	}
	return r.box.Seal(key, place)
}

// OpenKey opens a data key made by NewKey and returns the box that uses it.
func (r *Ring) OpenKey(sealed []byte, place string) (*Box, error) {
	key, err := r.box.Open(sealed, place)
	if err != nil {
		return nil, err
	}
	return newBox(map[uint16][]byte{1: key})
}

func newBox(keys map[uint16][]byte) (*Box, error) {
	b := &Box{keys: make(map[uint16]cipher.AEAD, len(keys))}
	for version, key := range keys {
		if version == 0 || len(key) != KeySize {
			return nil, fmt.Errorf("key %d: a key has 32 bytes and a version from 1", version)
		}
		if allEqual(key) {
			return nil, fmt.Errorf("key %d: it is not random", version)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", version, err)
		}
		if b.keys[version], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("key %d: %w", version, err)
		}
		b.newest = max(b.newest, version)
	}
	if b.newest == 0 {
		return nil, errors.New("no key given: nothing can be sealed")
	}
	return b, nil
}

func allEqual(key []byte) bool {
	for _, c := range key {
		if c != key[0] {
			return false
		}
	}
	return true
}

// Newest is the version Seal uses; a value whose Version is lower is due for
// sealing again after a rotation.
func (b *Box) Newest() uint16 { return b.newest }

// Seal encrypts plain for place, written "table.column/uuid": two bytes of key
// version (big-endian), the nonce, the ciphertext.
func (b *Box) Seal(plain []byte, place string) ([]byte, error) {
	aead := b.keys[b.newest]
	out := make([]byte, 2, 2+len(plain)+aead.Overhead())
	binary.BigEndian.PutUint16(out, b.newest)
	return aead.Seal(out, nil, plain, associated(b.newest, place)), nil
}

// Open decrypts what Seal made for the same place; ErrOpen for anything else.
func (b *Box) Open(sealed []byte, place string) ([]byte, error) {
	version, ok := Version(sealed)
	if !ok {
		return nil, ErrOpen
	}
	aead, ok := b.keys[version]
	if !ok {
		return nil, ErrOpen
	}
	plain, err := aead.Open(nil, nil, sealed[2:], associated(version, place))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Version reads the key version of a sealed value.
func Version(sealed []byte) (uint16, bool) {
	if len(sealed) < 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(sealed), true
}

// associated binds the version too, so that its two bytes cannot be changed.
func associated(version uint16, place string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, version), place...)
}
