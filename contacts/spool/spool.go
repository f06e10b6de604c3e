// Package spool keeps uploaded files in the database, sealed and in pieces, so
// that any host can read what another took in.
//
// contacts stores its imports by it. It knows nothing of what is in a file.
package spool

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// chunkSize is how much of a file one sealed piece holds.
const chunkSize = 1 << 20

// Writer takes a file piece by piece into the database while it is being read,
// sealed, each piece in a transaction of its own: a slow upload holds no
// connection. It is an io.Writer.
type Writer struct {
	ctx  context.Context // of the upload; io.Writer has no place for it
	pool *pg.Pool
	box  *seal.Box
	ws   id.Workspace
	blob id.Blob

	buf  []byte
	next int
	size int64
	sum  hash.Hash
}

const sqlNewBlob = `
	insert into blob (workspace_id, id, name, size, sha256)
	values ($1, $2, $3, 0, '')`

// New begins a file; name is as it will be shown.
func New(ctx context.Context, pool *pg.Pool, box *seal.Box, ws id.Workspace, name string) (*Writer, error) {
	s := &Writer{ctx: ctx, pool: pool, box: box, ws: ws, blob: id.New[id.Blob](), sum: sha256.New()}
	err := pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlNewBlob, ws, s.blob, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin to store the file: %w", err)
	}
	return s, nil
}

// Write takes the next bytes of the file.
func (s *Writer) Write(p []byte) (int, error) {
	s.sum.Write(p)
	s.size += int64(len(p))
	s.buf = append(s.buf, p...)
	for len(s.buf) >= chunkSize {
		if err := s.flush(s.buf[:chunkSize]); err != nil {
			return 0, err
		}
		s.buf = append(s.buf[:0], s.buf[chunkSize:]...)
	}
	return len(p), nil
}

const sqlNewChunk = `
	insert into blob_chunk (workspace_id, blob_id, sequence, sealed)
	values ($1, $2, $3, $4)`

func (s *Writer) flush(piece []byte) error {
	sealed, err := s.box.Seal(piece, chunkPlace(s.blob, s.next))
	if err != nil {
		return fmt.Errorf("seal the file: %w", err)
	}
	err = s.pool.InWorkspace(s.ctx, s.ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(s.ctx, sqlNewChunk, s.ws, s.blob, s.next, sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("store the file: %w", err)
	}
	s.next++
	return nil
}

func chunkPlace(blob id.Blob, sequence int) string {
	return "blob_chunk.sealed/" + uuid.UUID(blob).String() + "." + strconv.Itoa(sequence)
}

const sqlBlobDone = `
	update blob
	set size = $3,
	    sha256 = $4
	where workspace_id = $1
	  and id = $2`

// Close stores the last piece, the size and the sum.
func (s *Writer) Close() error {
	if len(s.buf) > 0 {
		if err := s.flush(s.buf); err != nil {
			return err
		}
		s.buf = nil
	}
	err := s.pool.InWorkspace(s.ctx, s.ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(s.ctx, sqlBlobDone, s.ws, s.blob, s.size, s.Sum())
		return err
	})
	if err != nil {
		return fmt.Errorf("close the file: %w", err)
	}
	return nil
}

// Blob is the file's id.
func (s *Writer) Blob() id.Blob { return s.blob }

// Sum is the SHA-256 of what was written.
func (s *Writer) Sum() []byte { return s.sum.Sum(nil) }

const sqlDropBlob = `
	delete from blob
	where workspace_id = $1
	  and id = $2`

// Drop removes a file that came to nothing, also when the upload was broken off.
func (s *Writer) Drop() error {
	ctx := context.WithoutCancel(s.ctx)
	return s.pool.InWorkspace(ctx, s.ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlDropBlob, s.ws, s.blob)
		return err
	})
}

const sqlChunk = `
	select sealed
	from blob_chunk
	where workspace_id = $1
	  and blob_id = $2
	  and sequence = $3`

// Reader reads a stored file back, holding one piece of it.
type Reader struct {
	ctx  context.Context // of the import; io.Reader has no place for it
	pool *pg.Pool
	box  *seal.Box
	ws   id.Workspace
	blob id.Blob
	next int
	rest []byte
}

// Open makes a reader; a file that is gone reads as empty.
func Open(ctx context.Context, pool *pg.Pool, box *seal.Box, ws id.Workspace, blob id.Blob) *Reader {
	return &Reader{ctx: ctx, pool: pool, box: box, ws: ws, blob: blob}
}

// Read gives the next bytes of the file.
func (b *Reader) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if err := b.load(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *Reader) load() error {
	var sealed []byte
	err := b.pool.InWorkspace(b.ctx, b.ws, func(tx pgx.Tx) error {
		return tx.QueryRow(b.ctx, sqlChunk, b.ws, b.blob, b.next).Scan(&sealed)
	})
	if err == pgx.ErrNoRows {
		return io.EOF
	}
	if err != nil {
		return fmt.Errorf("read the file back: %w", err)
	}
	if b.rest, err = b.box.Open(sealed, chunkPlace(b.blob, b.next)); err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	b.next++
	return nil
}

const sqlEmpty = `
	delete from blob_chunk
	where workspace_id = $1
	  and blob_id = $2`

const sqlDropStaleBlobs = `
	delete from blob b
	where b.workspace_id = $1
	  and b.created_at < bareed_now() - interval '1 day'
	  and not exists (
		select from import i
		where i.workspace_id = b.workspace_id
		  and i.blob_id = b.id)`

// Empty removes a file's content and what uploads that died left behind.
func Empty(ctx context.Context, tx pgx.Tx, ws id.Workspace, blob id.Blob) error {
	if _, err := tx.Exec(ctx, sqlEmpty, ws, blob); err != nil {
		return fmt.Errorf("empty the file: %w", err)
	}
	return Sweep(ctx, tx, ws)
}

// Sweep removes the files that came to nothing for a day.
func Sweep(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if _, err := tx.Exec(ctx, sqlDropStaleBlobs, ws); err != nil {
		return fmt.Errorf("remove what died uploads left: %w", err)
	}
	return nil
}

// SafeName makes an uploaded file's name fit to be shown: no path, no control
// or direction marks, at most 100 runes.
func SafeName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100])
	}
	if strings.Trim(name, ". ") == "" {
		return "file.csv"
	}
	return name
}
