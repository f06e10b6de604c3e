package api

import (
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/api/webhook"
)

// webhooks mounts Meta's door. The POST stands outside the JSON gates: it has no
// credential but its signature, which is over the raw bytes.
func (s *Server) webhooks() {
	d := webhook.New(webhook.Config{Pool: s.Config.Pool, Vault: s.Config.Vault, Log: s.Config.Log, Registry: s.Registry()})
	raw(s, "GET /webhooks/meta/{app}", func(c *gin.Context, _ accounts.Actor) error { return d.Handshake(c) }, front.AnswersText("text/plain"),
		front.Query([2]string{"hub.mode"}, [2]string{"hub.verify_token"}, [2]string{"hub.challenge"}))
	front.Bare(s.Front, "POST /webhooks/meta/{app}", d.Take)
}
