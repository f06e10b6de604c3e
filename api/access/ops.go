package access

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
)

//go:embed ops/*.html
var opsFiles embed.FS

// The content policies of the operators' pages. The dashboard is a foreign
// program with inline style and script; it may talk to its own path only, and
// may be framed by ours.
const (
	policyOps       = "default-src 'none'; style-src 'sha256-%s'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	policyDashboard = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'self'; frame-ancestors 'self'"
)

func (d *Desk) ops() {
	front.Raw(d.Front, "GET /ops", d.opsPage)
	front.Raw(d.Front, "GET /ops/sign-in", func(c *gin.Context, _ accounts.Actor) error {
		return d.opsTemplate(c, http.StatusOK, "sign-in.html", "")
	})
	front.Raw(d.Front, "POST /ops/sign-in", d.opsSignIn)
	front.Raw(d.Front, "POST /ops/sign-out", d.opsSignOut)
	front.Raw(d.Front, "GET /ops/queues/*path", d.dashboard)
}

// opsView is what the operators' templates print.
type opsView struct {
	Lang    string
	Dir     string
	Name    string
	Problem string
	Style   template.CSS
}

func (d *Desk) opsPage(c *gin.Context, _ accounts.Actor) error {
	return d.opsTemplate(c, http.StatusOK, "frame.html", "")
}

func (d *Desk) opsTemplate(c *gin.Context, status int, name, problem string) error {
	pages, err := template.ParseFS(opsFiles, "ops/*.html")
	if err != nil {
		return fmt.Errorf("read the operators' pages: %w", err)
	}
	ctx := c.Request.Context()
	view := opsView{Lang: front.Lang(ctx), Dir: "ltr", Name: front.Caller(ctx).Name, Problem: problem, Style: opsStyle}
	if view.Lang == "ar" {
		view.Dir = "rtl"
	}
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		return fmt.Errorf("write the operators' page: %w", err)
	}
	c.Header("Content-Security-Policy", fmt.Sprintf(policyOps, styleHash(opsStyle)))
	c.Header("Content-Language", view.Lang)
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// opsSignIn takes the form. Its errors are printed on the page; only an operator
// gets a session here.
func (d *Desk) opsSignIn(c *gin.Context, _ accounts.Actor) error {
	if err := c.Request.ParseForm(); err != nil {
		return errs.New("content_type")
	}
	ctx := c.Request.Context()
	session, err := accounts.SignIn(ctx, d.Pool, d.hasher, accounts.SignInRequest{
		Email: c.Request.PostForm.Get("email"), Password: c.Request.PostForm.Get("password"),
		Address: front.Address(ctx), Agent: c.Request.UserAgent(), RequestID: front.RequestID(ctx),
	})
	if err == nil && !session.Who.Operator {
		if err := accounts.SignOut(ctx, d.Pool, session.Who); err != nil {
			return err
		}
		err = errs.New("auth.sign_in_failed")
	}
	if e, ok := errs.As(err); ok {
		p, headers := d.Problem(ctx, c.Request.URL.Path, e)
		for k, v := range headers {
			c.Writer.Header()[k] = v
		}
		return d.opsTemplate(c, p.Status, "sign-in.html", p.Detail)
	}
	if err != nil {
		return err
	}
	cookie := cookieOf(session)
	http.SetCookie(c.Writer, &cookie)
	c.Redirect(http.StatusSeeOther, "/ops")
	return nil
}

func (d *Desk) opsSignOut(c *gin.Context, _ accounts.Actor) error {
	if err := accounts.SignOut(c.Request.Context(), d.Pool, front.Caller(c.Request.Context())); err != nil {
		return err
	}
	cookie := endedCookie()
	http.SetCookie(c.Writer, &cookie)
	c.Redirect(http.StatusSeeOther, "/ops/sign-in")
	return nil
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
