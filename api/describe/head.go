package describe

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"bareed/internal/errs"
)

const about = `WhatsApp campaigns and broadcasts on Meta's Cloud API: people with a recorded opt-in go in, a campaign goes out at the pace Meta allows, and every person is accounted for.

**Credentials.** ` + "`Authorization: Bearer bk_live_…`" + ` or ` + "`bk_test_…`" + `; what a key may do is its scopes (x-scopes of each operation). Another workspace's object answers 404 like one that does not exist.

**Idempotency.** Every POST of a workspace takes an Idempotency-Key; launches and imports need one. The same key with the same request gives the first answer again for seven days (Idempotency-Replayed: true), with another request 422, while the first still runs 409 with Retry-After. 5xx and 429 are not kept.

**Errors** are problems (RFC 9457) with a stable code; detail follows Accept-Language (en, ar). Unknown fields and parameters are refused (422). x-codes lists what an operation may answer, x-problems at the top what each means.

**Lists** are pages: limit (1 to 200), next_cursor, has_more, and Link rel="next". Cursors are signed and good for one list of one workspace.

**Versions.** What can be edited has an ETag; send it back as If-Match. 412 when somebody was faster, 428 when it is missing where it is needed.

**Limits.** RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) stand on every answer under /v1; on 429 Retry-After too.

**Long work** answers 202 with Location: /v1/jobs/…. A 2xx on a launch means accepted, not delivered.`

// head fills what the document says of the whole.
func head(doc *huma.OpenAPI, baseURL string) {
	doc.Info.Title, doc.Info.Version, doc.Info.Description = "Bareed", "1.0.0", about
	doc.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	doc.Info.Contact = &huma.Contact{Name: "Whoever runs this installation", URL: "/docs/quickstart"}
	doc.Servers = []*huma.Server{{URL: "/", Description: "Where this description was read"}}
	if base := strings.TrimSuffix(baseURL, "/"); base != "" {
		doc.Servers = []*huma.Server{{URL: base}}
	}
	said := tags()
	doc.Tags = nil
	for _, name := range used() {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: name, Description: said[name]})
	}
	if doc.Extensions == nil {
		doc.Extensions = map[string]any{}
	}
	doc.Extensions["x-problems"] = catalogue()
}

// catalogue is what every code means, in both languages.
func catalogue() map[string]any {
	all := map[string]any{}
	for _, e := range errs.All() {
		all[e.Code] = map[string]any{"status": e.Status, "en": e.EN, "ar": e.AR}
	}
	return all
}

func tags() map[string]string {
	return map[string]string{
		"Sessions":   "Signing people in; programs use an API key",
		"Workspace":  "Whose credential this is, and the workspace's settings",
		"API keys":   "Credentials of programs; a person makes them",
		"Members":    "People of the workspace and their roles",
		"Audit":      "What people and keys did",
		"Audiences":  "Named lists of contacts",
		"Imports":    "CSV files with people and what they agreed to",
		"Jobs":       "Work that outlasts a request",
		"Contacts":   "People, their numbers and permissions",
		"Consents":   "Opt-ins and opt-outs, kept for ever in order",
		"Campaigns":  "Define, check, launch, pause, resume, stop",
		"Reports":    "Figures, recipients and events of a campaign",
		"Messages":   "One person's message",
		"Numbers":    "Sending numbers connected at Meta",
		"Templates":  "The mirror of Meta's message templates",
		"Platform":   "For those who run the process",
		"Webhooks":   "Meta's door",
		"Privacy":    "Export and erasure",
		"Money":      "What messages cost: rate cards, estimates, actual cost",
		"Monitoring": "Watching what is under way",
		"Portfolios": "Messaging limits: the reserve, shares and who used them",
		"Rules":      "What holds a campaign by rule: thresholds, waves, caps on frequency and countries",
	}
}
