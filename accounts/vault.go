package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// The names of the installation's own keys in system_key.
const (
	systemRecipient = "recipient"
	systemCallback  = "callback"
)

// Vault hands out what seals and what proves: each workspace's box, the master
// box, and the installation's hash keys. It is safe for use by many goroutines.
type Vault struct {
	pool   *pg.Pool
	ring   *seal.Ring
	system map[string][]systemKey // by name, newest first; fixed after OpenVault

	mu    sync.RWMutex
	boxes map[id.Workspace]*seal.Box
}

type systemKey struct {
	version int
	key     []byte
}

// OpenVault reads the installation's keys, makes those that are missing, and
// refuses when the master key given is not the one that sealed them.
func OpenVault(ctx context.Context, pool *pg.Pool, ring *seal.Ring) (*Vault, error) {
	v := &Vault{pool: pool, ring: ring, system: make(map[string][]systemKey), boxes: make(map[id.Workspace]*seal.Box)}
	for _, name := range []string{systemRecipient, systemCallback} {
		if err := v.makeMissing(ctx, name); err != nil {
			return nil, err
		}
		keys, err := v.loadSystem(ctx, name)
		if err != nil {
			return nil, err
		}
		v.system[name] = keys
	}
	return v, nil
}

const sqlFirstSystemKey = `
	insert into system_key (name, version, sealed)
	select $1, 1, $2
	where not exists (select from system_key where name = $1)
	on conflict do nothing`

func (v *Vault) makeMissing(ctx context.Context, name string) error {
	sealed, err := v.newSystemKey(name, 1)
	if err != nil {
		return err
	}
	if _, err := v.pool.Engine().Exec(ctx, sqlFirstSystemKey, name, sealed); err != nil {
		return fmt.Errorf("make the %s key: %w", name, err)
	}
	return nil
}

func (v *Vault) newSystemKey(name string, version int) ([]byte, error) {
	key := make([]byte, seal.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make the %s key: %w", name, err)
	}
	return v.ring.Box().Seal(key, systemPlace(name, version))
}

func systemPlace(name string, version int) string {
	return "system_key.sealed/" + name + "." + strconv.Itoa(version)
}

const sqlSystemKeys = `
	select version, sealed
	from system_key
	where name = $1
	order by version desc`

func (v *Vault) loadSystem(ctx context.Context, name string) ([]systemKey, error) {
	rows, err := v.pool.Engine().Query(ctx, sqlSystemKeys, name)
	if err != nil {
		return nil, fmt.Errorf("read the %s keys: %w", name, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (systemKey, error) {
		var k systemKey
		var sealed []byte
		if err := row.Scan(&k.version, &sealed); err != nil {
			return k, err
		}
		key, err := v.ring.Box().Open(sealed, systemPlace(name, k.version))
		if err != nil {
			return k, fmt.Errorf("open the %s key %d, is this the right master key: %w", name, k.version, err)
		}
		k.key = key
		return k, nil
	})
}

const sqlDataKey = `
	select data_key
	from workspace
	where workspace_id = $1`

// Box is the workspace's data key, read once and kept; a rotation of the
// master key leaves it as it is.
func (v *Vault) Box(ctx context.Context, ws id.Workspace) (*seal.Box, error) {
	v.mu.RLock()
	box := v.boxes[ws]
	v.mu.RUnlock()
	if box != nil {
		return box, nil
	}
	var sealed []byte
	if err := v.pool.Engine().QueryRow(ctx, sqlDataKey, ws).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read the workspace's key: %w", err)
	}
	box, err := v.ring.OpenKey(sealed, dataKeyPlace(ws))
	if err != nil {
		return nil, fmt.Errorf("open the workspace's key: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.boxes[ws] = box
	return box, nil
}

func (v *Vault) newDataKey(ws id.Workspace) ([]byte, error) {
	return v.ring.NewKey(dataKeyPlace(ws))
}

func dataKeyPlace(ws id.Workspace) string {
	return "workspace.data_key/" + uuid.UUID(ws).String()
}

// System is the master box, for secrets of Meta apps and for stray events: what
// belongs to no workspace.
func (v *Vault) System() *seal.Box { return v.ring.Box() }

// RecipientHash is the first 16 bytes of HMAC-SHA256 over a recipient key
// ("p:+9665…", "b:SA.1349…") with the newest recipient key.
func (v *Vault) RecipientHash(recipientKey string) []byte {
	return mac(v.system[systemRecipient][0].key, recipientKey)[:16]
}

// RecipientKeyVersion is the version RecipientHash uses.
func (v *Vault) RecipientKeyVersion() int { return v.system[systemRecipient][0].version }

// CallbackMAC is the proof in callback data: 16 hexadecimal digits.
func (v *Vault) CallbackMAC(data string) string {
	return hex.EncodeToString(mac(v.system[systemCallback][0].key, "callback\x00"+data)[:8])
}

// CallbackValid checks a proof against every version of the callback key.
func (v *Vault) CallbackValid(data, proof string) bool {
	got, err := hex.DecodeString(proof)
	if err != nil {
		return false
	}
	for _, k := range v.system[systemCallback] {
		if hmac.Equal(got, mac(k.key, "callback\x00"+data)[:8]) {
			return true
		}
	}
	return false
}

// Proof is a keyed hash (16 bytes) of data for one named use, such as a page
// cursor; proofs of different uses never match.
func (v *Vault) Proof(use, data string) []byte {
	return mac(v.system[systemCallback][0].key, use+"\x00"+data)[:16]
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
