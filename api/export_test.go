package api

import (
	"github.com/gin-gonic/gin"

	"bareed/accounts"
)

// Row is a row of the table, for tests.
type Row = route

// TableRows is the table.
func TableRows() []Row { return routes() }

// NewWithUpload is New with a streamed POST of a kind no noun has.
func NewWithUpload(c Config, key string, h func(c *gin.Context) error) (*Server, error) {
	s, err := newServer(c, append(routes(), route{Route: key, Action: accounts.WriteContacts, Status: 201, Long: true, Key: true}))
	if err == nil {
		raw(s, key, func(c *gin.Context, _ accounts.Actor) error { return h(c) })
	}
	return s, err
}
