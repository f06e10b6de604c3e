package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/api/webhook"
)

// webhooks mounts Meta's door. The POST stands outside the JSON gates: it has no
// credential but its signature, which is over the raw bytes.
func (s *Server) webhooks() {
	d := webhook.New(webhook.Config{Pool: s.Config.Pool, Vault: s.Config.Vault, Log: s.Config.Log, Registry: s.Registry()})
	raw(s, "GET /webhooks/meta/{app}", func(c *gin.Context, _ accounts.Actor) error { return d.Handshake(c) }, answersText("text/plain"), handshakeQuery)
	front.Bare(s.Front, "POST /webhooks/meta/{app}", d.Take)
}

// handshakeQuery describes what Meta asks with.
func handshakeQuery(op *huma.Operation) {
	for _, name := range []string{"hub.mode", "hub.verify_token", "hub.challenge"} {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: "string"}})
	}
}
