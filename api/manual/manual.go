// Package manual owns the pages about the API: the OpenAPI description in Swagger
// UI under /docs, served from the binary without any other site, and the quick
// start beside it.
//
// api registers it. It must not know any noun.
package manual

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/docs"
)

const assets = "/docs/assets/"

// explorerStyle gives Swagger UI, which has light colours only, a dark look, and
// names of their own lines on narrow screens.
const explorerStyle = `
@media (prefers-color-scheme: dark) { html { color-scheme: light; background: #fafafa; filter: invert(.91) hue-rotate(180deg); } }
@media (max-width: 640px) {
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui .opblock-tag small { flex: 1 0 70%; order: 1; padding: 0; }
  .swagger-ui .opblock-tag a { flex: 1; }
}
`

// Register adds every route of the package.
func Register(f *front.Front) {
	ui := v5emb.NewHandlerWithConfig(swgui.Config{Title: "Bareed API", SwaggerJSON: "/openapi.json", BasePath: assets,
		SettingsUI: map[string]string{"tryItOutEnabled": "false", "displayRequestDuration": "true", "docExpansion": `"none"`, "filter": "true"}})
	explorer := newPage(bytes.Replace(rendered(ui), []byte("</style>"), []byte(explorerStyle+"</style>"), 1), "script-src 'self'", "connect-src 'self'")
	start := newPage([]byte(quickstart(docs.Quickstart)))
	front.Raw(f, "GET /docs", explorer.write)
	front.Raw(f, "GET /docs/quickstart", start.write)
	front.Raw(f, "GET /docs/quickstart.md", func(c *gin.Context, _ accounts.Actor) error {
		c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(docs.Quickstart))
		return nil
	})
	front.Raw(f, "GET /docs/assets/*path", func(c *gin.Context, _ accounts.Actor) error {
		c.Header("Cache-Control", "public, max-age=86400")
		c.Header("Cross-Origin-Resource-Policy", "same-origin")
		ui.ServeHTTP(c.Writer, c.Request)
		return nil
	})
}

// page is a page that is the same for everybody, with the policy it needs.
type page struct {
	html   []byte
	policy string
}

var (
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	inlineStyle  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
)

// newPage permits what stands in the page by its hashes, and nothing else: no
// 'unsafe-inline'. Swagger UI sets its other styles by script through the CSSOM,
// which no policy is asked about; its icons are data: images in the style sheet.
func newPage(html []byte, more ...string) page {
	policy := append([]string{"default-src 'none'", "img-src 'self' data:", "style-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}, more...)
	for i, directive := range policy {
		switch {
		case strings.HasPrefix(directive, "script-src"):
			policy[i] += hashes(inlineScript, html)
		case strings.HasPrefix(directive, "style-src"):
			policy[i] += hashes(inlineStyle, html)
		}
	}
	return page{html: html, policy: strings.Join(policy, "; ")}
}

func hashes(inline *regexp.Regexp, html []byte) string {
	var list strings.Builder
	for _, m := range inline.FindAllSubmatch(html, -1) {
		sum := sha256.Sum256(m[1])
		fmt.Fprintf(&list, " 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
	}
	return list.String()
}

func (p page) write(c *gin.Context, _ accounts.Actor) error {
	c.Header("Content-Security-Policy", p.policy)
	c.Data(http.StatusOK, "text/html; charset=utf-8", p.html)
	return nil
}

// rendered is what a handler answers to a GET of the assets' folder itself: the page.
func rendered(h http.Handler) []byte {
	w := &buffer{header: http.Header{}}
	h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: assets}, Header: http.Header{}})
	return w.Bytes()
}

// buffer keeps an answer.
type buffer struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (b *buffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *buffer) WriteHeader(int) {}
