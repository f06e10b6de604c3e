package front

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/web/ui"
)

// The cookies. The session's is the API's: its prefix makes browsers insist on
// Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3.2). Without https,
// which is only taken on this machine, some browsers keep no such cookie, so
// the plain one is set beside it and read after it.
const (
	sessionCookie  = "__Host-session"
	plainCookie    = "session"
	languageCookie = "lang"
	themeCookie    = "theme"
	flashCookie    = "flash"
)

// OperatorsPath is the operators' own page, which another server answers.
const OperatorsPath = "/ops"

const year = 365 * 24 * time.Hour

// identify finds the session. Two cookies of one name are refused: one of them
// is not ours.
func (c *Call) identify() error {
	names := []string{sessionCookie}
	if !c.secure {
		names = append(names, plainCookie)
	}
	err := error(errs.New("auth.missing"))
	for _, name := range names {
		cookies := c.R.CookiesNamed(name)
		if len(cookies) != 1 || cookies[0].Value == "" {
			continue
		}
		var who accounts.Identity
		if who, err = accounts.FindSession(c.R.Context(), c.Pool, cookies[0].Value); err == nil {
			c.Who, c.Signed = who, true
			c.Who.Actor.Address, c.Who.Actor.RequestID = address(c.R), c.RequestID
			if who.Language == "ar" || who.Language == "en" {
				c.lang = who.Language
			}
			return nil
		}
	}
	return err
}

// Begin gives the browser a new session.
func (c *Call) Begin(s accounts.Session) {
	c.Who, c.Signed = s.Who, true
	cookie := http.Cookie{Name: sessionCookie, Value: s.Token, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Expires: s.Who.ExpiresAt}
	http.SetCookie(c.W, &cookie)
	if !c.secure {
		cookie.Name, cookie.Secure = plainCookie, false
		http.SetCookie(c.W, &cookie)
	}
}

// End takes the session's cookies away.
func (c *Call) End() {
	http.SetCookie(c.W, &http.Cookie{Name: sessionCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	if !c.secure {
		http.SetCookie(c.W, &http.Cookie{Name: plainCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	}
}

// remember keeps a choice of the reader in the browser.
func (c *Call) remember(name, value string, age time.Duration) {
	http.SetCookie(c.W, &http.Cookie{Name: name, Value: value, Path: "/", Secure: c.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, MaxAge: int(age / time.Second)})
}

// RememberLanguage keeps "en" or "ar" in the browser.
func (c *Call) RememberLanguage(lang string) {
	c.lang = lang
	c.remember(languageCookie, lang, year)
}

// RememberTheme keeps "light", "dark" or "auto" in the browser.
func (c *Call) RememberTheme(theme string) { c.remember(themeCookie, theme, year) }

func (c *Call) theme() string {
	if chosen, err := c.R.Cookie(themeCookie); err == nil && (chosen.Value == "light" || chosen.Value == "dark") {
		return chosen.Value
	}
	return "auto"
}

// Flash says something on the next page: kind is done, info, warning or danger,
// key a text of the catalogue.
func (c *Call) Flash(kind, key string, kv ...any) {
	s, err := ui.Flash{Kind: kind, Key: key, Params: kv}.Encode(c.Vault.Proof)
	if err != nil || len(s) > 2000 {
		c.Log.ErrorContext(c.R.Context(), "keep the message for the next page", "request_id", c.RequestID, "err", err)
		return
	}
	c.remember(flashCookie, s, 2*time.Minute)
}

// takeFlash reads the message and takes the cookie away.
func (c *Call) takeFlash() *ui.Flash {
	cookie, err := c.R.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	c.remember(flashCookie, "", -time.Second)
	f, ok := ui.DecodeFlash(c.Vault.Proof, cookie.Value)
	if !ok {
		return nil
	}
	return &f
}

// Local is a path of ours to go to, or "/" for anything that could lead to
// another host (a scheme, //host, /\host, control characters).
func Local(next string) string {
	if !strings.HasPrefix(next, "/") || len(next) > 1024 || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == '\\'
	}) {
		return "/"
	}
	return next
}

// Cursor writes the place where the next page of a list begins, for a link; it
// is good for one workspace and one list.
func (c *Call) Cursor(list, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(c.cursorProof(list, after), after...))
}

// After reads a cursor; "" for none, page.cursor for one that is not ours.
func (c *Call) After(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) <= 16 || len(b) > 512 || string(c.cursorProof(list, string(b[16:]))) != string(b[:16]) {
		return "", errs.New("page.cursor")
	}
	return string(b[16:]), nil
}

func (c *Call) cursorProof(list, after string) []byte {
	return c.Vault.Proof("web.cursor", c.Who.Actor.Workspace.String()+"\x00"+list+"\x00"+after)
}
