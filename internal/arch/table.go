package arch

import "strings"

// rule is what one folder may import besides the standard library, other
// modules and the plumbing.
type rule struct {
	folder     string // with everything below it
	may        []string
	everything bool

	standardOnly bool // not even the plumbing: users import it
}

// The nouns in their one direction: each may import those named before it in
// its own list.
var (
	nouns = []string{"accounts", "contacts", "numbers", "consents", "templates", "messages", "campaigns", "billing"}

	// plumbing is what any package may import.
	plumbing = []string{"internal/id", "internal/errs", "internal/clock", "internal/pg", "internal/seal"}

	// inTests is what a _test.go file may import in addition: servers, rows,
	// and the sandbox in Meta's place.
	inTests = []string{"internal/pg/pgtest", "internal/redistest", "internal/fixture", "internal/rounds", "internal/config", "migrations", "sandbox", "whatsapp", "client"}
)

// table is who may import whom. A new noun is a new line of the same shape, a
// new process a new subcommand.
var table = []rule{
	{folder: "cmd/bareed", everything: true},
	{folder: "cmd/dev", everything: true},

	{folder: "api", may: with(nouns, "queue", "whatsapp", "whatsapp/codes", "api/front", "api/access", "api/webhook", "api/describe", "api/manual", "api/firings", "api/outcomes", "api/people", "campaigns/live", "api/planner", "api/quality", "api/portfolios", "api/waves", "campaigns/breaker", "api/money", "api/transports")},
	{folder: "api/people", may: []string{"accounts", "contacts", "consents", "api/front"}},
	{folder: "api/manual", may: []string{"accounts", "api/front", "docs"}},
	{folder: "api/describe", may: []string{"accounts", "api/front"}},
	{folder: "api/front", may: []string{"accounts", "api/front/quota", "api/front/strictjson"}},
	{folder: "api/front/strictjson"},
	{folder: "api/front/quota", may: []string{"accounts"}},
	{folder: "api/firings", may: []string{"accounts", "api/front", "campaigns", "campaigns/occurrence"}},
	{folder: "api/portfolios", may: []string{"accounts", "api/front", "campaigns/capacity", "numbers/portfolios"}},
	{folder: "api/quality", may: []string{"accounts", "api/front", "campaigns", "campaigns/guard", "numbers", "templates"}},
	{folder: "api/planner", may: []string{"accounts", "api/front", "campaigns/growth", "campaigns/outlook", "numbers"}},
	{folder: "api/access", may: []string{"accounts", "api/front"}},
	{folder: "api/outcomes", may: []string{"accounts", "api/front", "campaigns/unconfirmed", "campaigns/certificate", "campaigns/difference"}},
	{folder: "api/transports", may: []string{"accounts", "api/front", "numbers", "numbers/onboarding"}},
	{folder: "api/money", may: []string{"accounts", "api/front", "billing"}},
	{folder: "api/caps", may: []string{"accounts", "api/front", "campaigns/caps", "billing"}},
	{folder: "api/waves", may: []string{"accounts", "api/front", "campaigns", "campaigns/breaker", "campaigns/waves", "campaigns/pacing"}},
	{folder: "api/webhook", may: []string{"messages", "messages/changed", "messages/consequences", "consents", "templates", "contacts", "numbers", "accounts", "whatsapp", "campaigns/guard"}},
	{folder: "web", may: with(nouns, "whatsapp", "web/front", "web/ui", "web/charts", "campaigns/live", "campaigns/overview", "web/campaigndesk", "web/people", "web/wizard", "web/rhythm", "web/phone", "web/ahead", "web/portfolio", "campaigns/breaker", "web/money", "web/rules", "campaigns/warnings")},
	{folder: "web/rules", may: []string{"accounts", "campaigns/breaker", "campaigns/waves", "web/front", "web/ui"}},
	{folder: "web/portfolio", may: []string{"accounts", "campaigns/capacity", "numbers/portfolios", "web/front", "web/ui", "web/charts"}},
	{folder: "web/campaigndesk", may: with(nouns, "whatsapp/codes", "campaigns/unconfirmed", "web/front", "web/proof", "web/ui", "web/charts", "web/rhythm", "web/phone", "web/ahead", "campaigns/breaker", "campaigns/waves", "campaigns/pacing", "web/money")},
	{folder: "web/ahead", may: []string{"campaigns/forecast", "campaigns/growth", "web/charts", "web/ui"}},
	{folder: "web/wizard", may: with(nouns, "web/front", "web/ui", "web/charts", "campaigns/plan", "web/rhythm", "web/phone", "web/ahead", "web/money")},
	{folder: "web/rhythm", may: []string{"campaigns/schedule", "web/ui"}},
	{folder: "web/phone", may: []string{"templates", "web/ui"}},
	{folder: "web/front", may: []string{"accounts", "web/ui"}},
	{folder: "web/people", may: with(nouns, "web/front", "web/proof", "web/ui")},
	{folder: "web/money", may: []string{"accounts", "billing", "campaigns", "web/front", "web/ui"}},
	{folder: "web/caps", may: []string{"accounts", "billing", "campaigns", "web/front", "web/money", "web/ui"}},
	{folder: "web/proof", may: []string{"accounts", "contacts", "consents", "web/front"}},
	{folder: "web/ui"},
	{folder: "web/charts"},
	{folder: "scheduler", may: with(nouns, "queue", "campaigns/occurrence", "messages/unknown", "messages/behind", "campaigns/breaker", "campaigns/waves", "messages/halts")},
	{folder: "worker", may: with(nouns, "queue", "limits", "whatsapp", "messages/callback", "messages/changed", "messages/consequences", "campaigns/breaker", "campaigns/waves", "messages/halts")},

	{folder: "billing"},
	{folder: "billing/ratecard", may: []string{"billing", "contacts", "accounts"}},
	{folder: "billing/charges", may: []string{"billing"}},
	{folder: "billing/estimate", may: []string{"billing", "campaigns", "accounts"}},
	{folder: "billing/budget", may: []string{"billing", "campaigns", "messages", "accounts"}},
	{folder: "billing/cost", may: []string{"billing", "campaigns", "messages", "accounts"}},
	{folder: "campaigns", may: []string{"whatsapp/codes", "messages", "messages/unknown", "consents", "templates", "contacts", "numbers", "accounts"}},
	{folder: "campaigns/schedule"},
	{folder: "campaigns/occurrence", may: []string{"campaigns/schedule", "messages", "accounts"}},
	{folder: "campaigns/caps", may: []string{"contacts", "accounts"}},
	{folder: "campaigns/capacity", may: []string{"accounts", "numbers/places", "numbers/portfolios"}},
	{folder: "campaigns/check", may: []string{"campaigns", "campaigns/forecast", "campaigns/growth", "campaigns/outlook", "messages", "templates", "numbers", "accounts"}},
	{folder: "campaigns/preflight", may: []string{"templates", "numbers"}},
	{folder: "campaigns/transport", may: []string{"numbers/onboarding"}},
	{folder: "numbers/budget"},
	{folder: "numbers/onboarding", may: []string{"numbers", "whatsapp"}},
	{folder: "campaigns/guard", may: []string{"campaigns/transport", "messages", "templates", "numbers", "accounts"}},
	{folder: "campaigns/forecast", may: []string{"campaigns/schedule"}},
	{folder: "campaigns/growth", may: []string{"campaigns/forecast"}},
	{folder: "campaigns/outlook", may: []string{"campaigns/forecast", "campaigns/schedule", "campaigns/growth", "numbers"}},
	{folder: "campaigns/board", may: []string{"campaigns", "messages", "templates"}},
	{folder: "campaigns/byhand", may: []string{"campaigns", "campaigns/guard", "messages", "accounts"}},
	{folder: "campaigns/unconfirmed", may: []string{"campaigns", "campaigns/byhand", "messages", "messages/unknown", "accounts"}},
	{folder: "campaigns/breaker"},
	{folder: "campaigns/warnings", may: []string{"campaigns/breaker", "messages"}},
	{folder: "campaigns/waves", may: []string{"campaigns", "campaigns/breaker", "campaigns/warnings", "campaigns/forecast", "messages", "messages/pacing", "accounts"}},
	{folder: "campaigns/pacing", may: []string{"campaigns", "campaigns/byhand", "messages", "messages/pacing", "accounts"}},
	{folder: "campaigns/difference", may: []string{"campaigns", "messages", "whatsapp/codes"}},
	{folder: "campaigns/certificate", may: []string{"campaigns", "messages", "accounts"}},
	{folder: "campaigns/certificate/verify", standardOnly: true},
	{folder: "campaigns/live", may: []string{"campaigns", "accounts"}},
	{folder: "messages/unknown"},
	{folder: "messages/pacing"},
	{folder: "messages/changed", may: []string{"messages", "numbers"}},
	{folder: "messages/halts", may: []string{"messages", "whatsapp"}},
	{folder: "messages/callback"},
	{folder: "messages/behind", may: []string{"messages"}},
	{folder: "messages/consequences", may: []string{"messages", "consents", "numbers", "accounts", "whatsapp/codes"}},
	{folder: "messages", may: []string{"messages/callback", "consents", "templates", "contacts", "numbers", "accounts", "whatsapp"}},
	{folder: "templates", may: []string{"numbers", "accounts", "whatsapp"}},
	{folder: "consents", may: []string{"contacts", "accounts"}},
	{folder: "contacts", may: []string{"accounts"}},
	{folder: "numbers/places"},
	{folder: "numbers/portfolios", may: []string{"accounts", "numbers", "numbers/places"}},
	{folder: "numbers", may: []string{"accounts", "whatsapp"}},
	{folder: "accounts/ledger"},
	{folder: "accounts"},

	{folder: "whatsapp", may: []string{"whatsapp/codes"}},
	{folder: "whatsapp/codes"},
	{folder: "limits"},
	{folder: "queue"},
	{folder: "sandbox", may: []string{"whatsapp"}},
	{folder: "sandbox/agenda"},
	{folder: "sandbox/asset", may: []string{"whatsapp"}},
	{folder: "migrations"},
	{folder: "docs"},
	{folder: "client", standardOnly: true},

	{folder: "internal/pg/pgtest", may: []string{"internal/devenv", "migrations"}},
	{folder: "internal/pg"},
	{folder: "internal/redistest", may: []string{"internal/devenv"}},
	{folder: "internal/rounds"},
	{folder: "internal/config"},
	{folder: "internal/clock"},
	{folder: "internal/id"},
	{folder: "internal/errs"},
	{folder: "internal/seal"},
	{folder: "internal/fixture", may: with(nouns, "whatsapp", "accounts/ledger")},
	{folder: "internal/arch"},
	{folder: "internal/devenv", may: []string{"internal/devenv/software"}},
	{folder: "internal/devenv/software"},
	{folder: "internal/deploy", may: []string{"internal/devenv", "accounts"}},
	{folder: "internal/procs", may: []string{"client", "internal/devenv", "internal/rig", "migrations", "sandbox"}},
	{folder: "internal/rig", may: []string{"client", "internal/devenv", "sandbox"}},
	{folder: "internal/demo", may: []string{"client", "docs", "contacts", "internal/devenv", "internal/rig", "migrations", "sandbox"}},
	{folder: "internal/e2e", everything: true},
	{folder: "internal/e2e/look", may: []string{"internal/devenv"}},
	{folder: "internal/prove", everything: true},
	{folder: "internal/soak", everything: true},
	{folder: "internal/simulate", everything: true},
	{folder: "internal/bench/report"},
	{folder: "internal/bench", everything: true},
	{folder: "internal/bench/explain", may: []string{"internal/bench/report"}},
	{folder: "internal/bench/fair", may: []string{"client", "internal/bench/report", "internal/rig", "limits", "sandbox"}},
	{folder: "internal/bench/pages", may: []string{"campaigns", "campaigns/overview", "consents", "contacts", "numbers"}},
}

// blankImports are drivers and data that work by being linked in.
var blankImports = []string{"embed", "time/tzdata", "github.com/jackc/pgx/v5/stdlib"}

// environment are the folders that read environment variables.
var environment = []string{"cmd", "internal/config", "internal/devenv", "internal/pg/pgtest", "internal/redistest", "internal/rounds", "internal/rig", "internal/e2e", "internal/prove", "internal/bench"}

// forbiddenNames say nothing about what a package holds.
var forbiddenNames = []string{"util", "utils", "common", "shared", "misc", "lib", "base", "core", "helper", "helpers",
	"model", "models", "type", "types", "service", "services", "manager", "managers"}

func with(list []string, more ...string) []string {
	return append(append([]string{}, list...), more...)
}

// ruleFor finds the longest entry that covers a folder.
func ruleFor(folder string) (rule, bool) {
	var best rule
	for _, r := range table {
		if (folder == r.folder || strings.HasPrefix(folder, r.folder+"/")) && len(r.folder) > len(best.folder) {
			best = r
		}
	}
	return best, best.folder != ""
}
