package strict

// checkWay checks what only one of the two edges has: the marketing edge takes
// templates and two parameters of its own, which the other does not know.
func (in *Request) checkWay() *Refusal {
	switch {
	case !in.Marketing && (in.Policy != nil || in.Sharing != nil):
		return Refuse(100, "product_policy and message_activity_sharing are not parameters of messages")
	case in.Marketing && in.Type != "template":
		return Refuse(100, "a marketing message must be a template")
	case in.Policy != nil && *in.Policy != PolicyFallback && *in.Policy != PolicyStrict:
		return Refuse(100, "product_policy is CLOUD_API_FALLBACK or STRICT")
	}
	return nil
}

// What is to become of a message that the marketing edge cannot take.
const (
	PolicyFallback = "CLOUD_API_FALLBACK"
	PolicyStrict   = "STRICT"
)

// ProductPolicy is the policy of a request to the marketing edge; Meta's own default is
// the fallback. Empty for the other edge.
func (in *Request) ProductPolicy() string {
	switch {
	case !in.Marketing:
		return ""
	case in.Policy == nil:
		return PolicyFallback
	}
	return *in.Policy
}

// Shares tells whether Meta may use what people do with the message.
func (in *Request) Shares() bool { return in.Sharing != nil && *in.Sharing }
