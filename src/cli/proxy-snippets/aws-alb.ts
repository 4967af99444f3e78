/** AWS Application Load Balancer in passthrough mode, as Terraform. @module */

import type { Snippet, SnippetMaker } from './snippet.ts'

export const awsAlb: SnippetMaker = {
  title: 'AWS Application Load Balancer',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: false,
  make,
}

function make(): Snippet {
  const text = `resource "aws_lb_listener" "mtls_policy" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.main.arn

  # Every certificate is passed on unverified, with its chain, so that the application judges and answers. "verify" ends the
  # TLS handshake of a bad one, and writes X-Amzn-Mtls-Clientcert-Leaf instead, without the chain.
  mutual_authentication {
    mode = "passthrough"
  }

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.application.arn
  }
}

# Whoever reaches the application past the load balancer writes the header himself: nobody else may.
resource "aws_vpc_security_group_ingress_rule" "application_from_load_balancer" {
  security_group_id            = aws_security_group.application.id
  referenced_security_group_id = aws_security_group.load_balancer.id
  from_port                    = aws_lb_target_group.application.port
  to_port                      = aws_lb_target_group.application.port
  ip_protocol                  = "tcp"
}

# The same load balancer must have no listener without mutual_authentication for these targets: through that one, a client's own
# X-Amzn-Mtls-Clientcert might pass.
`
  return { files: [{ name: 'mtls-policy.tf', text }], headers: ['X-Amzn-Mtls-Clientcert'] }
}
