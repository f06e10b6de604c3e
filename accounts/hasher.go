package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is how much work a hash is (argon2id, RFC 9106), on one lane.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
}

// OWASP is the cost of every hash in earnest: OWASP's first choice.
var OWASP = Cost{Memory: 19 * 1024, Passes: 2}

const (
	argonLanes = 1
	argonKey   = 32
	argonSalt  = 16
)

// errHash says that a stored password hash cannot be read.
var errHash = errors.New("password hash is not an argon2id PHC string")

// Hasher hashes passwords, only so many at once, so that signing in can take
// neither all processors nor all memory.
type Hasher struct {
	cost  Cost
	slots chan struct{}
	dummy string // verified for unknown users, so that they take as long
}

// NewHasher allows max(1, cores/2) hashes at once. A program's cost is OWASP;
// tests sign in by the hundred and take less.
func NewHasher(cost Cost) (*Hasher, error) {
	h := &Hasher{cost: cost, slots: make(chan struct{}, max(1, runtime.NumCPU()/2))}
	var err error
	h.dummy, err = h.Hash(context.Background(), "nobody's password")
	return h, err
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte, memory, passes uint32, lanes uint8, size uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, size), nil
}

// Hash returns the PHC string of a password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	key, err := h.key(ctx, password, salt, h.cost.Memory, h.cost.Passes, argonLanes, argonKey)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Passes, argonLanes,
		enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// Verify tells whether password is the one hashed in phc, and whether the hash
// was made at less than today's cost. An empty phc costs the same time
// and never matches.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (ok, weak bool, err error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	var version int
	var memory, passes uint32
	var lanes uint8
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, errHash
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false, false, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || version != argon2.Version || memory > 1<<20 || passes == 0 || lanes == 0 || len(want) < 16 {
		return false, false, errHash
	}
	got, err := h.key(ctx, password, salt, memory, passes, lanes, uint32(len(want)))
	if err != nil {
		return false, false, fmt.Errorf("check the password: %w", err)
	}
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && known, memory < h.cost.Memory || passes < h.cost.Passes, nil
}
