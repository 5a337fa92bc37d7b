#!/bin/sh
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes ca.pem, and contoso.pem, fabrikam.pem and stranger.pem (key and certificate each) in the current directory.
set -eu
umask 077

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Connector Lab CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.pem
for name in contoso fabrikam stranger; do
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=mail.$name.example" \
        -keyout "$name.key" -out "$name.csr"
    printf 'subjectAltName=DNS:mail.%s.example\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n' \
        "$name" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile "$name.ext" -out "$name.crt"
    openssl x509 -in "$name.crt" -noout -fingerprint -sha256 >"$name.sha256"
    cat "$name.key" "$name.crt" >"$name.pem"
done
