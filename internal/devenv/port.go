//go:build unix

package devenv

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below those that systems hand out by themselves (Linux from 32768,
// macOS from 49152): between the look and its use by a child, no connection and
// no listener on port 0 can be given one of these.
const (
	firstPort = 15000
	lastPort  = 32000
)

// FreePort returns a TCP port that was free on 127.0.0.1 a moment ago. It is
// picked at random, so that two that look at once seldom find the same.
func FreePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
