package access

import (
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
)

// foreignFonts are links of asynqmon's page to fonts on another site. The
// content policy refuses them; without them no browser has to be refused.
var foreignFonts = regexp.MustCompile(`<link[^>]*fonts\.g[^>]*>`)

// withoutFonts serves the dashboard; its page leaves the links out.
func (d *Desk) withoutFonts(c *gin.Context) error {
	if !strings.Contains(c.GetHeader("Accept"), "text/html") { // no page: scripts, figures
		d.queues.ServeHTTP(c.Writer, c.Request)
		return nil
	}
	page := &kept{ResponseWriter: c.Writer}
	d.queues.ServeHTTP(page, c.Request)
	c.Writer.Header().Del("Content-Length") // of the page as it was
	_, err := c.Writer.Write(foreignFonts.ReplaceAll(page.body, nil))
	return err
}

// kept holds a page back, so that it can be changed.
type kept struct {
	gin.ResponseWriter
	body []byte
}

// Write implements io.Writer.
func (k *kept) Write(b []byte) (int, error) {
	k.body = append(k.body, b...)
	return len(b), nil
}

// WriteString implements io.StringWriter.
func (k *kept) WriteString(s string) (int, error) { return k.Write([]byte(s)) }
