package access

import (
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
)

// policyDashboard is the content policy of the dashboard: a foreign program
// with inline style and script, which may talk to its own path only.
const policyDashboard = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'self'; frame-ancestors 'self'"

func (d *Desk) ops() {
	front.Raw(d.Front, "GET /ops/queues/*path", d.dashboard)
}

// dashboard shows the queues, to look at only: just GET is routed here, and cmd
// builds the dashboard read-only.
func (d *Desk) dashboard(c *gin.Context, _ accounts.Actor) error {
	if d.queues == nil {
		return errs.New("not_found")
	}
	c.Header("Content-Security-Policy", policyDashboard)
	return d.withoutFonts(c)
}
