package main

// A gap is a requirement that the shop does not meet, or that is not its own
// to meet, with the reason.
type gap struct{ id, what, why string }

var gaps = []gap{
	{"6.2.4", "Not all of the 3,000 commonest passwords are refused.", "Common ones are recognised by zxcvbn's lists and its reckoning, and nothing is downloaded; measured against another list, that and the least length refuse 97.5 % of them."},
	{"6.2.12", "No check against breached passwords.", "It takes a service outside, which would learn of every sign-up."},
	{"6.3.8", "Whoever is signed in learns, by asking for another's e-mail address as their own, that it has an account.", "Without mail there is no way to change an address and not to say. It takes the password each time, and ten such answers are all there are in 15 minutes."},
	{"6.3.1", "A crowd of sign-ins from one address can keep most of the others out.", "Only so many passwords are hashed at a time, so that all other pages go on. A share of that for each address would be the next step."},
	{"X8", "A failover of Redis may bring back a session that was ended in the last moment before.", "A replica hears of a change after the client does. Postgres with a synchronous standby forgets nothing."},
	{"6.3.3", "No second factor.", "This is a lesson about what comes after the sign-in. Level 1 does not ask for one."},
	{"6.4.3", "No reset of a forgotten password.", "The shop sends no mail."},
	{"6.3.5, 6.3.7", "No message about changes of an account or about odd sign-ins.", "The shop sends no mail; the user's list of sessions shows where they are signed in."},
	{"6.3.2", "The demonstration's accounts, an administrator among them, have passwords that are public.", "They are made only with the shop's own Postgres or with --demo, where nothing is to be lost. Use --no-demo, or a database of your own, for anything else."},
	{"2.1, 8.1", "No document lists the rules for each field and each role.", "The code is short enough to be it: each page's form is checked beside its handler in internal/web, and routes.go says who may go where."},
	{"E-mail", "An e-mail address is not verified.", "The shop sends no mail. It uses the address as a name to sign in with, and for nothing else."},
	{"7.1.3, 7.6.1", "Nothing on federated sign-ins.", "There are none: the shop alone decides who is signed in, and for how long."},
	{"3.4.7", "Violations of the content security policy are reported to nobody.", "It would take an address that strangers can fill a log through."},
	{"11, 13.3", "No vault or hardware module for secrets.", "There is one, the pepper, and it is read from a file. Session IDs are not signed or encrypted, so there is no key to them."},
	{"12.2", "Without a certificate the shop speaks plain http.", "On localhost it has to. In public, give it one, or put it behind a proxy that has one and name the public URL; cookies and headers then insist on HTTPS."},
	{"12.3", "The way to Postgres is encrypted only if the database's URL asks for it.", "sslmode=verify-full in DATABASE_URL does. The shop's own Postgres listens on the machine alone."},
	{"15.1.1", "No promise of how soon a weakness in a library is mended.", "This is a lesson, and nobody is on call for it. The libraries are few, and go.mod names them."},
	{"16.4", "Logs go to the standard error, and are not protected there.", "Whoever runs the shop collects them; nothing in them opens a session."},
}
