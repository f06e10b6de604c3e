// Package id owns the typed identifiers of everything that crosses a package
// or the API: a UUIDv7 (time-ordered, RFC 9562) behind a short prefix that
// says what it names, such as cmp_0195c1d2e3f4707b8c9da1b2c3d4e5f6.
//
// Every package uses it. It knows no table and no rule: a valid identifier
// says nothing about whether the thing exists or whose it is.
package id

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// ErrMalformed is returned for text that is not an identifier of the wanted kind.
var ErrMalformed = errors.New("malformed identifier")

// Kind names one sort of identifier by its prefix, without the underscore.
type Kind interface{ Prefix() string }

// ID is the identifier of one thing of kind K. The zero value names nothing.
type ID[K Kind] uuid.UUID

// New returns a fresh identifier; those made later sort later.
func New[T ~[16]byte]() T {
	return T(uuid.Must(uuid.NewV7()))
}

// Parse reads the prefixed text form, as in id.Parse[id.Campaign](s); it
// returns ErrMalformed for any other text, and for an identifier of another kind.
func Parse[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](s string) (T, error) {
	var v T
	if s == "" {
		return v, ErrMalformed
	}
	err := P(&v).UnmarshalText([]byte(s))
	return v, err
}

func parse[K Kind](s string) (ID[K], error) {
	var k K
	want := k.Prefix() + "_"
	if len(s) != len(want)+32 || s[:len(want)] != want {
		return ID[K]{}, ErrMalformed
	}
	var u uuid.UUID
	if _, err := hex.Decode(u[:], []byte(s[len(want):])); err != nil {
		return ID[K]{}, ErrMalformed
	}
	return ID[K](u), nil
}

// String returns the prefixed text form.
func (i ID[K]) String() string {
	var k K
	return k.Prefix() + "_" + hex.EncodeToString(i[:])
}

// IsZero tells whether the identifier names nothing.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// Time is the millisecond the identifier was made in.
func (i ID[K]) Time() time.Time {
	sec, nsec := uuid.UUID(i).Time().UnixTime()
	return time.Unix(sec, nsec).UTC()
}

// MarshalText writes the prefixed form, and nothing for the zero value.
func (i ID[K]) MarshalText() ([]byte, error) {
	if i.IsZero() {
		return []byte{}, nil
	}
	return []byte(i.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (i *ID[K]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = ID[K]{}
		return nil
	}
	v, err := parse[K](string(b))
	if err != nil {
		return err
	}
	*i = v
	return nil
}

// UUIDValue hands the identifier to pgx; the zero value is null.
func (i ID[K]) UUIDValue() (pgtype.UUID, error) {
	return pgtype.UUID{Bytes: i, Valid: !i.IsZero()}, nil
}

// ScanUUID takes the identifier from pgx; null becomes the zero value.
func (i *ID[K]) ScanUUID(v pgtype.UUID) error {
	if !v.Valid {
		*i = ID[K]{}
		return nil
	}
	*i = v.Bytes
	return nil
}

// Value writes the plain UUID for database/sql.
func (i ID[K]) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return uuid.UUID(i).String(), nil
}

// Scan reads a plain UUID from database/sql.
func (i *ID[K]) Scan(src any) error {
	var u uuid.UUID
	if err := u.Scan(src); err != nil {
		return fmt.Errorf("scan identifier: %w", err)
	}
	*i = ID[K](u)
	return nil
}
