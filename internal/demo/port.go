//go:build unix

package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
)

// defaultAPI is where the API listens when nobody else does.
const defaultAPI = "127.0.0.1:8080"

func portFree(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// short names a database in a file name without giving its address away.
func short(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:6])
}
